package ui_test

import (
	"encoding/json"
	"maps"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"heartmark/schemas"
	"heartmark/verifier"
)

// catalogue reads all texts of a language.
func catalogue(t *testing.T, lang string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range []string{"locale/" + lang + "/*.json", "verdict/locale/" + lang + "/*.json"} {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v, %d files", pattern, err, len(names))
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			var m map[string]string
			if err := json.Unmarshal(data, &m); err != nil {
				t.Fatalf("%s: %v", name, err)
			}
			maps.Copy(out, m)
		}
	}
	return out
}

func files(t *testing.T, patterns ...string) map[string]string {
	t.Helper()
	out := map[string]string{}
	for _, pattern := range patterns {
		names, err := filepath.Glob(pattern)
		if err != nil || len(names) == 0 {
			t.Fatalf("%s: %v, %d files", pattern, err, len(names))
		}
		for _, name := range names {
			if strings.HasSuffix(name, "_test.go") {
				continue
			}
			data, err := os.ReadFile(name)
			if err != nil {
				t.Fatal(err)
			}
			out[name] = string(data)
		}
	}
	return out
}

func TestCataloguesHaveTheSameKeys(t *testing.T) {
	t.Parallel()
	en, zh := catalogue(t, schemas.LanguageEnglish), catalogue(t, schemas.LanguageChinese)
	han := func(r rune) bool { return unicode.Is(unicode.Han, r) }
	for _, key := range slices.Sorted(maps.Keys(en)) {
		if zh[key] == "" || en[key] == "" {
			t.Errorf("%q is empty in one language", key)
		}
		if key != "other.name" && strings.ContainsFunc(en[key], han) {
			t.Errorf("%q: English text holds Chinese: %q", key, en[key])
		}
		if strings.ContainsAny(zh[key], ";!") || strings.Contains(zh[key], ", ") && !strings.Contains(zh[key], "…") {
			t.Errorf("%q: Chinese text has English punctuation: %q", key, zh[key])
		}
		if a, b := places(en[key]), places(zh[key]); !slices.Equal(a, b) {
			t.Errorf("%q: English has the places %v, Chinese %v", key, a, b)
		}
	}
	for key := range zh {
		if _, ok := en[key]; !ok {
			t.Errorf("%q has no English text", key)
		}
	}
	for _, info := range verifier.Codes() {
		bad := info.Outcome == verifier.Fail || info.Outcome == verifier.NotDetermined
		if _, ok := en["code."+info.Code]; bad && !ok {
			t.Errorf("code %s has no words of its own", info.Code)
		}
		if _, ok := en["check."+string(info.Check)]; !ok {
			t.Errorf("check %s has no label", info.Check)
		}
	}
}

// places are the {names} in a text that are filled in.
func places(text string) []string {
	found := regexp.MustCompile(`\{[a-z]+\}`).FindAllString(text, -1)
	slices.Sort(found)
	return found
}

var (
	inTemplate = regexp.MustCompile(`\{\{-? ?t "([A-Za-z0-9_.]+)"`)
	inCode     = regexp.MustCompile(`"([a-z][A-Za-z0-9_]*(?:\.[A-Za-z0-9_]+)+\.?)"`)
	pageOf     = regexp.MustCompile(`\.page\(texts, "([a-z]+)"`)
)

// made are the beginnings of keys that code completes with a value of a closed set; each is written in the code.
func made() []string {
	return []string{
		"code.", "check.", "outcome.", "verdict.", "verdict.caution.", "verdict.tally.", "verdict.age.", "state.", "action.", "kind.",
		"artifact.", "purpose.", "entry.kind.", "practice.difficulty.", "practice.goal.", "practice.status.", "practice.", "side.", "ask.state.",
	}
}

// TestCatalogueIsUsed: no key is missing, and none stands there for nothing.
func TestCatalogueIsUsed(t *testing.T) {
	t.Parallel()
	en := catalogue(t, schemas.LanguageEnglish)
	used := map[string]bool{}
	for name, body := range files(t, "templates/*.html", "verdict/templates/*.html") {
		for _, m := range inTemplate.FindAllStringSubmatch(body, -1) {
			used[m[1]] = true
			if _, ok := en[m[1]]; !ok {
				t.Errorf("%s: no text %q", name, m[1])
			}
		}
	}
	stems := map[string]bool{}
	for name, body := range files(t, "*.go", "verdict/*.go", "browser/*.go", "words/*.go") {
		for _, m := range pageOf.FindAllStringSubmatch(body, -1) {
			for _, part := range []string{".title", ".description"} {
				used[m[1]+part] = true
				if _, ok := en[m[1]+part]; !ok {
					t.Errorf("%s: no text %q", name, m[1]+part)
				}
			}
		}
		for _, m := range inCode.FindAllStringSubmatch(body, -1) {
			used[m[1]], stems[m[1]] = true, true
		}
		for _, stem := range made() {
			if strings.Contains(body, `"`+stem+`"`) {
				stems[stem] = true
			}
		}
	}
	for _, stem := range made() {
		if !stems[stem] {
			t.Errorf("no code makes keys that begin with %q", stem)
		}
	}
	for _, key := range slices.Sorted(maps.Keys(en)) {
		completed := slices.ContainsFunc(made(), func(stem string) bool { return stem != "practice." && strings.HasPrefix(key, stem) }) ||
			slices.Contains([]string{"practice.shown", "practice.partly", "practice.missed", "check_not_checked", "check_by_policy"}, key)
		if !used[key] && !completed {
			t.Errorf("%q is used nowhere", key)
		}
	}
}

var (
	action    = regexp.MustCompile(`(?s)\{\{.*?\}\}`)
	example   = regexp.MustCompile(`(?s)<(pre|code|script|svg)\b.*?</(pre|code|script|svg)>`)
	tag       = regexp.MustCompile(`(?s)<[^>]*>`)
	attribute = regexp.MustCompile(`\s(?:title|alt|placeholder|aria-label|data-busy[a-z-]*)="([^"]*)"`)
)

// TestNoTextOutsideTheCatalogue: what a person reads comes from the catalogue. Names, addresses and commands stay as they are.
func TestNoTextOutsideTheCatalogue(t *testing.T) {
	t.Parallel()
	names := strings.NewReplacer("Heartmark", "", "HTTP", "", "openapi.json", "", "openapi.yaml", "", "/log/checkpoint", "")
	for name, body := range files(t, "templates/*.html", "verdict/templates/*.html") {
		for _, m := range attribute.FindAllStringSubmatch(action.ReplaceAllString(body, ""), -1) {
			if strings.ContainsFunc(m[1], unicode.IsLetter) {
				t.Errorf("%s: attribute %q is no text of the catalogue", name, m[0])
			}
		}
		plain := tag.ReplaceAllString(example.ReplaceAllString(action.ReplaceAllString(body, ""), ""), "")
		for line := range strings.Lines(plain) {
			if strings.ContainsFunc(names.Replace(line), unicode.IsLetter) {
				t.Errorf("%s: %q is no text of the catalogue", name, strings.TrimSpace(line))
			}
		}
	}
	said := regexp.MustCompile(`(?:textContent|innerText|title|alert\()\s*=?\s*["'][^"'$]*[A-Za-z]{3}`)
	for name, body := range files(t, "static/*.js") {
		if found := said.FindString(body); found != "" {
			t.Errorf("%s: %q is no text of the catalogue", name, found)
		}
	}
}
