package schemas_test

import (
	"os"
	"testing"

	"heartmark/schemas"
)

// FuzzValidate: the checks stop for no document, say the same each time, and say the same of a document that went
// through its own bytes.
func FuzzValidate(f *testing.F) {
	for _, name := range []string{"profile-en", "overall-zh", "social-awareness-en"} {
		data, err := os.ReadFile("jsonschema/testdata/valid/" + name + ".json")
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Add([]byte(`{"@context":["https://www.w3.org/ns/credentials/v2",{}],"type":[],"credentialSubject":[{"result":[[]]}],"proof":{}}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		doc, err := schemas.ParseObject(data)
		if err != nil {
			return
		}
		out, err := schemas.Marshal(doc)
		if err != nil {
			t.Fatalf("what was read cannot be written: %v", err)
		}
		again, err := schemas.ParseObject(out)
		if err != nil {
			t.Fatalf("what was written cannot be read: %v", err)
		}
		for name, check := range map[string]func(map[string]any) error{
			"credential": schemas.ValidateCredential, "presentation": schemas.ValidatePresentation,
			"badge": schemas.ValidateOpenBadge, "status": schemas.ValidateStatusEntries,
		} {
			first, second := check(doc), check(again)
			if (first == nil) != (second == nil) {
				t.Errorf("%s: %v, and after a round trip %v", name, first, second)
			}
		}
	})
}

func BenchmarkDocument(b *testing.B) {
	c := sample()
	for b.Loop() {
		if _, err := c.Document(); err != nil {
			b.Fatal(err)
		}
	}
}
