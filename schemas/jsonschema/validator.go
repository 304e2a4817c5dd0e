// Package jsonschema checks credentials against the JSON Schemas that are built into the program (Verifiable Credentials
// JSON Schema, type JsonSchema; JSON Schema draft 2020-12). It reads no schema from outside: a credential that names
// another schema gets ErrUnknownSchema and never a request. Formats are asserted.
//
// Start at New. The bytes of a schema are the same on every installation, so its digest can be pinned; the address in
// a credential only says where the bytes are served.
package jsonschema

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"strings"

	"heartmark/schemas"

	"github.com/santhosh-tekuri/jsonschema/v6"
	"golang.org/x/text/language"
	"golang.org/x/text/message"
)

// ErrUnknownSchema is returned for a schema that is not built in: nothing was checked, and nothing may be concluded.
var ErrUnknownSchema = errors.New("unknown schema")

// ErrDigest is returned when a credential pins other bytes than the ones we hold for that schema.
var ErrDigest = errors.New("schema digest does not match")

// pathPrefix is the path at which installations serve schemas.
const pathPrefix = "/schemas/"

// Validator holds the compiled schemas. It is safe for use by several goroutines at once.
type Validator struct {
	byName map[string]*jsonschema.Schema
	byID   map[string]string // $id to name
}

// embedded returns the bytes of every built-in schema by name.
func embedded() map[string][]byte { return map[string][]byte{schemas.SchemaDEI: schemas.DEISchemaV1()} }

// New compiles the built-in schemas.
func New() (*Validator, error) {
	v := &Validator{byName: map[string]*jsonschema.Schema{}, byID: map[string]string{}}
	for name, data := range embedded() {
		var head struct {
			ID string `json:"$id"`
		}
		if err := json.Unmarshal(data, &head); err != nil {
			return nil, fmt.Errorf("schema %s: %w", name, err)
		}
		compiled, err := Compile(head.ID, data)
		if err != nil {
			return nil, fmt.Errorf("schema %s: %w", name, err)
		}
		v.byName[name] = compiled.schema
		v.byID[head.ID] = name
	}
	return v, nil
}

// Name returns the name of the built-in schema that an address stands for: its $id, or the path /schemas/{name} below
// any http(s) origin.
func (v *Validator) Name(schemaURL string) (string, bool) {
	if name, ok := v.byID[schemaURL]; ok {
		return name, true
	}
	u, err := url.Parse(schemaURL)
	if err != nil || (u.Scheme != "https" && u.Scheme != "http") || u.Host == "" || u.User != nil || u.RawQuery != "" || u.Fragment != "" {
		return "", false
	}
	name, ok := strings.CutPrefix(u.Path, pathPrefix)
	if _, known := v.byName[name]; !ok || !known {
		return "", false
	}
	return name, true
}

// Validate checks doc against the schema at schemaURL. It returns ErrUnknownSchema where the schema is not built in,
// and a *schemas.FieldError with the deepest value at fault where doc does not fit.
func (v *Validator) Validate(schemaURL string, doc map[string]any) error {
	name, ok := v.Name(schemaURL)
	if !ok {
		return fmt.Errorf("%s: %w", schemaURL, ErrUnknownSchema)
	}
	return fieldError(v.byName[name].Validate(doc))
}

// CheckEntry checks doc against one entry of its credentialSchema: the type must be JsonSchema, a digestSRI must be
// that of the bytes we hold (ErrDigest), and doc must fit.
func (v *Validator) CheckEntry(entry, doc map[string]any) error {
	id, _ := entry["id"].(string)
	if entry["type"] != schemas.TypeJSONSchema {
		return fmt.Errorf("type %v: %w", entry["type"], ErrUnknownSchema)
	}
	name, ok := v.Name(id)
	if !ok {
		return fmt.Errorf("%s: %w", id, ErrUnknownSchema)
	}
	if digest, present := entry["digestSRI"]; present && digest != schemas.SchemaDigestSRI(name) {
		return fmt.Errorf("%s: %w", id, ErrDigest)
	}
	return v.Validate(id, doc)
}

// Digest returns the digestSRI of the built-in schema at schemaURL, and ErrUnknownSchema where there is none.
func (v *Validator) Digest(schemaURL string) (string, error) {
	name, ok := v.Name(schemaURL)
	if !ok {
		return "", fmt.Errorf("%s: %w", schemaURL, ErrUnknownSchema)
	}
	return schemas.SchemaDigestSRI(name), nil
}

// Schema is one compiled schema.
type Schema struct{ schema *jsonschema.Schema }

// Compile compiles a schema that stands alone: any reference outside itself and the draft's own meta-schemas is an error.
func Compile(id string, data []byte) (*Schema, error) {
	doc, err := jsonschema.UnmarshalJSON(bytes.NewReader(data))
	if err != nil {
		return nil, fmt.Errorf("not JSON: %w", err)
	}
	c := jsonschema.NewCompiler()
	c.UseLoader(noLoader{})
	c.DefaultDraft(jsonschema.Draft2020)
	c.AssertFormat()
	if err := c.AddResource(id, doc); err != nil {
		return nil, fmt.Errorf("add: %w", err)
	}
	s, err := c.Compile(id)
	if err != nil {
		return nil, fmt.Errorf("compile: %w", err)
	}
	return &Schema{s}, nil
}

// Validate checks doc, as schemas.ParseJSON returns it, against s.
func (s *Schema) Validate(doc any) error { return fieldError(s.schema.Validate(doc)) }

// noLoader answers no address at all.
type noLoader struct{}

func (noLoader) Load(address string) (any, error) {
	return nil, fmt.Errorf("%s: %w", address, ErrUnknownSchema)
}

// fieldError turns the library's tree of causes into the deepest one, which names the value that people must change.
func fieldError(err error) error {
	if err == nil {
		return nil
	}
	ve, ok := errors.AsType[*jsonschema.ValidationError](err)
	if !ok {
		return &schemas.FieldError{Expected: "a document that the schema can read", Err: err}
	}
	for len(ve.Causes) > 0 {
		deepest := ve.Causes[0]
		for _, c := range ve.Causes[1:] {
			if depth(c) > depth(deepest) {
				deepest = c
			}
		}
		ve = deepest
	}
	var pointer strings.Builder
	for _, step := range ve.InstanceLocation {
		pointer.WriteString("/" + strings.NewReplacer("~", "~0", "/", "~1").Replace(step))
	}
	reason := ve.ErrorKind.LocalizedString(message.NewPrinter(language.English))
	return &schemas.FieldError{Pointer: pointer.String(), Err: fmt.Errorf("%s: %w", reason, schemas.ErrMalformed)}
}

// depth is how far into the document a cause or its own causes point.
func depth(ve *jsonschema.ValidationError) int {
	d := len(ve.InstanceLocation)
	for _, c := range ve.Causes {
		d = max(d, depth(c))
	}
	return d
}
