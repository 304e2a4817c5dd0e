package schemas_test

import (
	"bytes"
	"encoding/json"
	"flag"
	"os"
	"testing"

	"heartmark/schemas"
)

var update = flag.Bool("update", false, "write the golden files anew")

// The documents below jsonschema/testdata/valid are written by this builder: a change of a single byte in what we
// issue shows in review.
func TestGoldenDocuments(t *testing.T) {
	t.Parallel()
	cases := map[string]func(c *schemas.DEICredential){
		"profile-en": func(*schemas.DEICredential) {},
		"overall-zh": func(c *schemas.DEICredential) {
			c.Language, c.Attestation.Levels = "zh", allLevels(schemas.LevelAdvanced, schemas.LevelProficient)
		},
		"social-awareness-en": func(c *schemas.DEICredential) {
			c.Achievement, c.Status = "social_awareness", c.Status[:1]
			c.Attestation.Platforms, c.Attestation.BatchDigests, c.Attestation.Audience = nil, nil, nil
		},
	}
	for name, change := range cases {
		c := sample()
		change(&c)
		doc, err := c.Document()
		if err != nil {
			t.Fatal(err)
		}
		data, err := schemas.Marshal(doc)
		if err != nil {
			t.Fatal(err)
		}
		var pretty bytes.Buffer
		if err := json.Indent(&pretty, data, "", " "); err != nil {
			t.Fatal(err)
		}
		pretty.WriteByte('\n')
		path := "jsonschema/testdata/valid/" + name + ".json"
		if *update {
			if err := os.WriteFile(path, pretty.Bytes(), 0o644); err != nil {
				t.Fatal(err)
			}
		}
		want, err := os.ReadFile(path)
		if err != nil {
			t.Fatal(err)
		}
		if !bytes.Equal(pretty.Bytes(), want) {
			t.Errorf("%s differs from what the builder writes; run with -update and read the difference", path)
		}
	}
}
