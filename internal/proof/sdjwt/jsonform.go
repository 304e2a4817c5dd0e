package sdjwt

import (
	"fmt"
	"strings"

	"heartmark/schemas"
)

// ParseJSON reads the flattened JWS JSON serialisation (RFC 9901, 8.1) with exactly its members: payload, protected,
// signature, and an unprotected header of disclosures and kb_jwt. The general serialisation, which can hold several
// signatures, is refused. The token is the one whose compact form has the same parts; the errors are those of Parse.
func ParseJSON(data []byte) (Token, error) {
	m, err := schemas.ParseObject(data)
	if err != nil {
		return Token{}, fmt.Errorf("%w: %w", ErrMalformed, err)
	}
	header, isObject := m["header"].(map[string]any)
	if len(m) != 4 || !isObject {
		return Token{}, fmt.Errorf("not the members of the flattened form: %w", ErrMalformed)
	}
	for _, name := range []string{"protected", "payload", "signature"} {
		if _, isString := m[name].(string); !isString {
			return Token{}, fmt.Errorf("member %s: %w", name, ErrMalformed)
		}
	}
	for name := range header {
		if name != "disclosures" && name != "kb_jwt" { // above all no alg beside the protected one
			return Token{}, fmt.Errorf("unprotected header %.40q: %w", name, ErrMalformed)
		}
	}
	disclosures, isArray := header["disclosures"].([]any)
	if !isArray {
		return Token{}, fmt.Errorf("disclosures: %w", ErrMalformed)
	}
	parts := []string{m["protected"].(string) + "." + m["payload"].(string) + "." + m["signature"].(string)}
	for _, d := range disclosures {
		s, isString := d.(string)
		if !isString {
			return Token{}, fmt.Errorf("disclosures: %w", ErrMalformed)
		}
		parts = append(parts, s)
	}
	binding := ""
	if value, present := header["kb_jwt"]; present {
		s, isString := value.(string)
		if !isString || s == "" {
			return Token{}, fmt.Errorf("kb_jwt: %w", ErrMalformed)
		}
		binding = s
	}
	// A tilde inside a member would move what it holds to another place.
	if tildes := strings.Count(strings.Join(parts, "")+binding, "~"); tildes != 0 {
		return Token{}, fmt.Errorf("a separator inside a member: %w", ErrMalformed)
	}
	return Parse(strings.Join(parts, "~") + "~" + binding)
}

// JSON returns the token in the form that ParseJSON reads.
func (t Token) JSON() ([]byte, error) {
	parts := strings.Split(strings.TrimSuffix(t.presented, "~"), "~")
	jws := strings.Split(parts[0], ".")
	header := map[string]any{"disclosures": parts[1:]}
	if t.binding != "" {
		header["kb_jwt"] = t.binding
	}
	return schemas.Marshal(map[string]any{
		"protected": jws[0], "payload": jws[1], "signature": jws[2], "header": header,
	})
}
