package edge

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"

	"heartmark/api/problem"
)

// Cursors seals the places at which pages of lists begin, so that a client can hand back what it was given and nothing
// else. A cursor of one list is none of another.
type Cursors struct {
	// Key is a secret that all processes of an installation share.
	Key []byte
}

const cursorTag = 12 // bytes of the MAC

// Seal returns the cursor of a list for the place after, and "" for the place "".
func (c Cursors) Seal(list, after string) string {
	if after == "" {
		return ""
	}
	return base64.RawURLEncoding.EncodeToString(append(c.tag(list, after), after...))
}

// Open returns the place of a cursor of the list. What Seal did not make is problem.ErrQuery.
func (c Cursors) Open(list, cursor string) (string, error) {
	if cursor == "" {
		return "", nil
	}
	raw, err := base64.RawURLEncoding.Strict().DecodeString(cursor)
	if err != nil || len(raw) <= cursorTag || !hmac.Equal(raw[:cursorTag], c.tag(list, string(raw[cursorTag:]))) {
		return "", fmt.Errorf("cursor is not one of this list: %w", problem.ErrQuery)
	}
	return string(raw[cursorTag:]), nil
}

func (c Cursors) tag(list, after string) []byte {
	mac := hmac.New(sha256.New, c.Key)
	mac.Write([]byte("heartmark/cursor/v1\x00" + list + "\x00" + after))
	return mac.Sum(nil)[:cursorTag]
}
