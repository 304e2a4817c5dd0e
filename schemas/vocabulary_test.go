package schemas_test

import (
	"encoding/json"
	"errors"
	"os"
	"slices"
	"strings"
	"testing"
	"unicode"

	"heartmark/schemas"
)

func hasHan(s string) bool {
	return strings.ContainsFunc(s, func(r rune) bool { return unicode.Is(unicode.Han, r) })
}

func TestEveryTextInBothLanguages(t *testing.T) {
	t.Parallel()
	seen := map[string]string{}
	check := func(what, en, zh string) {
		t.Helper()
		if en == "" || hasHan(en) {
			t.Errorf("%s: English text is %q", what, en)
		}
		if zh == "" || !hasHan(zh) {
			t.Errorf("%s: Chinese text is %q", what, zh)
		}
		for _, s := range []string{en, zh} {
			if other, twice := seen[s]; twice {
				t.Errorf("%s and %s have one text: %q", what, other, s)
			}
			seen[s] = what
		}
	}
	for _, d := range schemas.ResultDimensions() {
		check(string(d)+" name", d.Name("en"), d.Name("zh"))
		check(string(d)+" description", d.Description("en"), d.Description("zh"))
		for _, l := range schemas.Levels() {
			check(string(d)+" "+l.Code(), l.Rubric(d, "en"), l.Rubric(d, "zh"))
		}
	}
	for _, l := range schemas.Levels() {
		check(l.Code(), l.Name("en"), l.Name("zh"))
	}
}

func TestParseLevelAndDimension(t *testing.T) {
	t.Parallel()
	for _, l := range schemas.Levels() {
		if got, err := schemas.ParseLevel(l.Code()); err != nil || got != l {
			t.Errorf("ParseLevel(%q) = %v, %v", l.Code(), got, err)
		}
	}
	for _, bad := range []string{"", "Proficient", "3", "expert"} {
		if _, err := schemas.ParseLevel(bad); !errors.Is(err, schemas.ErrMalformed) {
			t.Errorf("ParseLevel(%q) = %v, want ErrMalformed", bad, err)
		}
	}
	for _, bad := range []string{"", "empathy", "Overall", "self-awareness"} {
		if _, err := schemas.ParseDimension(bad); !errors.Is(err, schemas.ErrMalformed) {
			t.Errorf("ParseDimension(%q) = %v, want ErrMalformed", bad, err)
		}
	}
	for _, l := range []schemas.Level{-1, 0, 5} {
		if l.Valid() || l.Code() != "" || l.Name("en") != "" || l.Rubric(schemas.DimensionOverall, "en") != "" {
			t.Errorf("level %d passes for one", l)
		}
	}
	if got := schemas.Dimensions(); len(got) != 4 || slices.Contains(got, schemas.DimensionOverall) {
		t.Errorf("Dimensions() = %v", got)
	}
}

func TestAchievementDocuments(t *testing.T) {
	t.Parallel()
	names := schemas.AchievementNames()
	if len(names) != 15 {
		t.Fatalf("%d names, want 15", len(names))
	}
	for _, name := range names {
		data, err := schemas.AchievementDocument(origin, name)
		if err != nil {
			t.Errorf("%s: %v", name, err)
			continue
		}
		doc, err := schemas.ParseObject(data)
		if err != nil {
			t.Fatal(err)
		}
		if doc["id"] != origin+"/achievements/"+name {
			t.Errorf("%s: id %v", name, doc["id"])
		}
		related := at(t, doc, "related", 0, "id").(string)
		if related == doc["id"] || !slices.Contains(names, strings.TrimPrefix(related, origin+"/achievements/")) {
			t.Errorf("%s: related to %s, which is not another version that we serve", name, related)
		}
		if wantZH := strings.HasSuffix(name, "/zh"); hasHan(doc["name"].(string)) != wantZH || (doc["inLanguage"] == "zh") != wantZH {
			t.Errorf("%s: in the wrong language: %v", name, doc["name"])
		}
		base := strings.TrimSuffix(strings.TrimSuffix(name, "/zh"), "/en")
		if id := at(t, doc, "resultDescription", 0, "id").(string); !strings.HasPrefix(id, origin+"/achievements/"+base+"#") {
			t.Errorf("%s: result description %s", name, id)
		}
	}
	for _, bad := range []string{"", "dei/profile", "dei/profile/v2", "dei/overall/v1", "dei/profile/v1/fr", "dei/profile/v1/zh/x", "x/profile/v1"} {
		if _, err := schemas.AchievementDocument(origin, bad); !errors.Is(err, schemas.ErrMalformed) {
			t.Errorf("AchievementDocument(%q) = %v, want ErrMalformed", bad, err)
		}
	}
}

// Every term of the DEI context keeps clear of other contexts' terms, and every dei member of a credential is a term.
func TestContextHoldsEveryTerm(t *testing.T) {
	t.Parallel()
	data, err := os.ReadFile("context/dei-v1.jsonld")
	if err != nil {
		t.Fatal(err)
	}
	var file struct {
		Context map[string]any `json:"@context"`
	}
	if err := json.Unmarshal(data, &file); err != nil {
		t.Fatal(err)
	}
	if file.Context["@protected"] != true {
		t.Error("the terms are not protected")
	}
	used := map[string]bool{}
	for name, def := range file.Context {
		if strings.HasPrefix(name, "@") {
			continue
		}
		if !strings.HasPrefix(name, "dei") && !strings.HasPrefix(name, "DEI") {
			t.Errorf("term %s does not begin with dei or DEI", name)
		}
		if m, ok := def.(map[string]any); ok {
			def = m["@id"]
		}
		if def != schemas.VocabularyDEI+name {
			t.Errorf("term %s is %v", name, def)
		}
	}
	var walk func(v any)
	walk = func(v any) {
		switch c := v.(type) {
		case []any:
			for _, item := range c {
				walk(item)
			}
		case map[string]any:
			for name, item := range c {
				if strings.HasPrefix(name, "dei") {
					used[name] = true
				}
				walk(item)
			}
		}
	}
	walk(document(t, sample()))
	used["DEIAssessment"], used["DEITermsOfUse"] = true, true
	for name := range used {
		if _, ok := file.Context[name]; !ok {
			t.Errorf("member %s is no term", name)
		}
	}
	if len(used) != len(file.Context)-2 {
		t.Errorf("%d terms used, %d defined", len(used), len(file.Context)-2)
	}
}
