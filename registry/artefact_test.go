package registry_test

import (
	"errors"
	"strings"
	"testing"

	"heartmark/registry"
	"heartmark/schemas"
)

func schemaArtefact(name, body string) registry.NewArtefact {
	return registry.NewArtefact{Kind: registry.KindSchemas, Name: name, MediaType: "application/schema+json", Data: []byte(body)}
}

const smallSchema = `{"$schema":"https://json-schema.org/draft/2020-12/schema","$id":"https://dei.example/schemas/x/v1","type":"object"}`

// SEC-162: a published schema does not change.
func TestArtefactsAreImmutable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	first, err := w.PublishArtefact(ctx, system(), schemaArtefact("x/v1", smallSchema))
	must(t, err)
	if first.SRI != schemas.DigestSRI([]byte(smallSchema)) || len(first.SHA256) != 64 || first.Size != len(smallSchema) {
		t.Errorf("published %+v", first)
	}
	must(t, w.DrainOutbox(ctx))
	again, err := w.PublishArtefact(ctx, system(), schemaArtefact("x/v1", smallSchema))
	if err != nil || again.Log == nil || again.SHA256 != first.SHA256 {
		t.Errorf("same bytes again: %+v, %v", again, err)
	}
	if _, err := w.PublishArtefact(ctx, system(), schemaArtefact("x/v1", smallSchema+" ")); !errors.Is(err, registry.ErrConflict) {
		t.Errorf("one more space: %v, want ErrConflict", err)
	}
	got, err := w.Artefact(ctx, registry.KindSchemas, "x/v1")
	if err != nil || string(got.Data) != smallSchema || got.Log == nil {
		t.Errorf("Artefact = %q, %v", got.Data, err)
	}
	if _, err := w.Artefact(ctx, registry.KindSchemas, "x/v2"); !errors.Is(err, registry.ErrNotFound) {
		t.Errorf("unknown version: %v, want ErrNotFound", err)
	}
	size, err := w.log.Size(ctx)
	if err != nil || size != 1 {
		t.Errorf("log has %d entries, %v, want 1", size, err)
	}
}

// What the project itself publishes passes its own checks.
func TestOwnArtefacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	_, err := w.PublishArtefact(t.Context(), system(), schemaArtefact(schemas.SchemaDEI, string(schemas.DEISchemaV1())))
	must(t, err)
	for _, code := range schemas.AchievementCodes() {
		for _, lang := range schemas.Languages() {
			a, err := schemas.NewAchievement(origin, code, lang)
			must(t, err)
			body, err := schemas.Marshal(a.Map())
			must(t, err)
			_, err = w.PublishArtefact(t.Context(), system(), registry.NewArtefact{
				Kind: registry.KindAchievements, Name: schemas.AchievementName(code) + "/" + lang, MediaType: "application/ld+json", Data: body,
			})
			must(t, err)
		}
	}
	page, err := w.Artefacts(t.Context(), registry.KindAchievements, "", 0)
	if err != nil || len(page) != 2*len(schemas.AchievementCodes()) || page[0].Data != nil {
		t.Errorf("%d achievements, %v", len(page), err)
	}
}

// SEC-164 and SEC-165: schema bombs and personal data.
func TestPublishRefuses(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	with := func(member string) string { return strings.Replace(smallSchema, `"type":"object"`, member, 1) }
	branches := strings.TrimSuffix(strings.Repeat(`{"type":"string"},`, 10_000), ",")
	for name, c := range map[string]struct {
		body string
		want error
	}{
		"self reference":     {with(`"$ref":"#"`), registry.ErrLimits},
		"own id":             {with(`"$ref":"https://dei.example/schemas/x/v1"`), registry.ErrLimits},
		"outside reference":  {with(`"$ref":"https://evil.example/s"`), registry.ErrLimits},
		"relative reference": {with(`"$ref":"other.json"`), registry.ErrLimits},
		"many branches":      {with(`"anyOf":[` + branches + `]`), registry.ErrLimits},
		"some branches":      {with(`"anyOf":[` + branches[:18*200-1] + `]`), registry.ErrLimits},
		"deep":               {with(strings.Repeat(`"not":{`, 100) + `"type":"object"` + strings.Repeat(`}`, 100)), schemas.ErrMalformed},
		"long pattern":       {with(`"pattern":"` + strings.Repeat("a", 2000) + `"`), registry.ErrLimits},
		"huge":               {with(`"pattern":"` + strings.Repeat("a", 1<<20) + `"`), registry.ErrLimits},
		"nested quantifiers": {with(`"pattern":"^(a+)+$"`), registry.ErrLimits},
		"nested in property": {with(`"patternProperties":{"(x*)*y":{}}`), registry.ErrLimits},
		"not a pattern":      {with(`"pattern":"("`), registry.ErrLimits},
		"many items":         {with(`"maxItems":1000000000`), registry.ErrLimits},
		"example":            {with(`"examples":["Jo Doe"]`), registry.ErrPersonalData},
		"default name":       {with(`"properties":{"name":{"default":"Jo Doe"}}`), registry.ErrPersonalData},
		"mail address":       {with(`"description":"ask jo.doe@acme.example"`), registry.ErrPersonalData},
		"telephone":          {with(`"description":"call +41 044 555 1234"`), registry.ErrPersonalData},
		"identity number":    {with(`"description":"11010519491231002X"`), registry.ErrPersonalData},
		"credential":         {with(`"proof":{"type":"DataIntegrityProof"}`), registry.ErrPersonalData},
		"no dialect":         {`{"type":"object"}`, registry.ErrInvalid},
		"duplicate name":     {`{"$schema":"x","$schema":"y"}`, schemas.ErrMalformed},
		"trailing":           {smallSchema + "{}", schemas.ErrMalformed},
		"not an object":      {`[]`, nil},
		"empty":              {``, registry.ErrLimits},
	} {
		_, err := w.PublishArtefact(t.Context(), operator(), schemaArtefact("x/v1", c.body))
		if err == nil || c.want != nil && !errors.Is(err, c.want) {
			t.Errorf("%s: %v, want %v", name, err, c.want)
		}
	}
	for _, name := range []string{"", "x", "v1", "x/v0", "../v1", "x/../v1", "X/v1", "/x/v1", "x/v1/", "x//v1", "x/v1?", "a/b/c/d/e/f/v1", strings.Repeat("a", 200) + "/v1"} {
		if _, err := w.PublishArtefact(t.Context(), operator(), schemaArtefact(name, smallSchema)); !errors.Is(err, registry.ErrInvalid) {
			t.Errorf("name %q: %v, want ErrInvalid", name, err)
		}
	}
	if _, err := w.PublishArtefact(t.Context(), registry.Actor{ID: "x", Role: "reader"}, schemaArtefact("x/v1", smallSchema)); !errors.Is(err, registry.ErrForbidden) {
		t.Errorf("reader: %v, want ErrForbidden", err)
	}
	_, err := w.PublishArtefact(t.Context(), operator(), schemaArtefact("x/v1", with(
		`"$defs":{"a":{"pattern":"^[a-z]+(-[a-z]{1,8})?$","maxItems":10}},"properties":{"default":{"$ref":"#/$defs/a"},"pattern":{"type":"string"}}`)))
	must(t, err)
}
