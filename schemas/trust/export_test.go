package trust

import "testing"

// Reencode returns the payload that the contents of an opened snapshot encode to.
func Reencode(t testing.TB, s *Snapshot) []byte {
	t.Helper()
	payload, _, err := s.contents.Encode()
	if err != nil {
		t.Fatal(err)
	}
	return payload
}
