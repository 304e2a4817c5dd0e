package evidence

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"time"

	"heartmark/schemas"
)

// digest is the deiBatchDigest of design.md §9.4: SHA-256 over the 16 bytes of salt, then the canonical batch of one
// subject. The canonical batch is the receipt and, in batch order, the messages of the conversations this subject takes
// part in, each one object of canonical JSON (RFC 8785) and a line feed: what the sealed submission holds, with the day
// in place of the time and masks in place of contact data. Without the salt nobody can try texts against it.
func digest(salt [16]byte, rec Receipt, b Batch) (string, error) {
	h := sha256.New()
	h.Write(salt[:])
	write := func(v map[string]any) error {
		line, err := schemas.CanonicalJSON(v)
		if err != nil {
			return fmt.Errorf("canonical batch: %w", err)
		}
		h.Write(line)
		h.Write([]byte("\n"))
		return nil
	}
	receipt := map[string]any{
		"type": TypeConsent, "actor": rec.Subject, "platform": rec.Platform, "purposes": list(rec.Purposes), "policy": rec.Policy,
	}
	if !rec.Expires.IsZero() {
		receipt["expires"] = rec.Expires.UTC().Format(time.RFC3339)
	}
	if err := write(receipt); err != nil {
		return "", err
	}
	for _, room := range b.Rooms(rec) {
		for i := room.Start; i < room.End; i++ {
			if err := write(b.Messages[i].canonical(i - room.Start)); err != nil {
				return "", err
			}
		}
	}
	return "sha256:" + hex.EncodeToString(h.Sum(nil)), nil
}

func (m Message) canonical(order int) map[string]any {
	v := map[string]any{
		"type": TypeMessage, "id": m.ID, "day": m.Day, "platform": m.Platform, "actor": m.Actor, "conversation": m.Conversation,
		"part": fmt.Sprint(m.Part), "order": fmt.Sprint(order), "text": string(m.Text), "role": m.Role, "channel": m.Channel,
	}
	optional := map[string]string{"reply_to": m.ReplyTo, "lang": m.Lang, "prompt": m.Prompt, "scene": m.Scene.ID, "scene_kind": m.Scene.Kind}
	for name, value := range optional {
		if value != "" {
			v[name] = value
		}
	}
	if len(m.To) > 0 {
		v["to"] = list(m.To)
	}
	if len(m.Flags) > 0 {
		v["flags"] = list(m.Flags)
	}
	return v
}

func list(in []string) []any {
	out := make([]any, len(in))
	for i, s := range in {
		out[i] = s
	}
	return out
}
