package ui

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"heartmark/api/problem"
)

// document is what the page reads of the OpenAPI 3.1 document: a group of operations for each tag.
type document struct {
	Title, Version, Summary string
	Description             []string // paragraphs
	Groups                  []*docGroup
	schemas                 map[string]any
}

type docGroup struct {
	Name, Description string
	Operations        []docOperation
	Types             []docType
}

type docOperation struct {
	ID, Method, Path, Summary string
	Description               []string
	// Access is public, key, optional or token; Scope that of the key.
	Access, Scope string
	Parameters    []docParameter
	Bodies        []docBody
	Responses     []docResponse
	Example       string
}

type docParameter struct {
	Name, In, Type, Description string
	Required                    bool
}

type docBody struct {
	MediaType string
	Type      docShape
}

type docResponse struct {
	Status, Description string
	Bodies              []docBody
}

// docShape names a type; Ref is the component that it leads to.
type docShape struct{ Text, Ref string }

type docType struct {
	Name, Description string
	Members           []docMember
	Shape             docShape
}

type docMember struct {
	Name, Description string
	Type              docShape
	Required          bool
}

// readDocument reads the OpenAPI document as JSON. It knows what the project's own document uses, and says what it lacks.
func readDocument(data []byte, origin string) (*document, error) {
	var root map[string]any
	if err := json.Unmarshal(data, &root); err != nil {
		return nil, fmt.Errorf("OpenAPI document: %w", err)
	}
	r := docReader{root: root, origin: origin}
	d := &document{
		Title: text(root, "info", "title"), Version: text(root, "info", "version"), Summary: text(root, "info", "summary"),
		Description: paragraphs(text(root, "info", "description")), schemas: member(root, "components", "schemas"),
	}
	groups := map[string]*docGroup{}
	tags, _ := root["tags"].([]any)
	for _, t := range tags {
		tag, _ := t.(map[string]any)
		g := &docGroup{Name: text(tag, "name"), Description: text(tag, "description")}
		groups[g.Name], d.Groups = g, append(d.Groups, g)
	}
	paths := member(root, "paths")
	for _, path := range slices.Sorted(maps.Keys(paths)) {
		for _, method := range []string{"get", "post", "put", "patch", "delete"} {
			operation := member(paths, path, method)
			if operation == nil {
				continue
			}
			tag := first(operation["tags"])
			g, ok := groups[tag]
			if !ok {
				return nil, fmt.Errorf("OpenAPI document: %s %s has the unknown tag %q", method, path, tag)
			}
			g.Operations = append(g.Operations, r.operation(path, method, member(paths, path), operation))
		}
	}
	for _, g := range d.Groups {
		d.types(g)
	}
	if len(d.Groups) == 0 {
		return nil, errors.New("OpenAPI document: no tags")
	}
	return d, nil
}

type docReader struct {
	root   map[string]any
	origin string
}

func (r docReader) operation(path, method string, item, o map[string]any) docOperation {
	out := docOperation{
		ID: strings.Trim(strings.NewReplacer("/", "-", "{", "", "}", "", ".", "-").Replace(method+path), "-"), Method: strings.ToUpper(method), Path: path,
		Summary: text(o, "summary"), Description: paragraphs(text(o, "description")),
	}
	out.Access, out.Scope = access(o)
	for _, list := range []any{item["parameters"], o["parameters"]} {
		all, _ := list.([]any)
		for _, p := range all {
			if m := r.follow(p); m != nil {
				out.Parameters = append(out.Parameters, docParameter{
					Name: text(m, "name"), In: text(m, "in"), Description: text(m, "description"), Required: m["required"] == true,
					Type: shape(member(m, "schema")).Text,
				})
			}
		}
	}
	out.Bodies = r.bodies(member(o, "requestBody"))
	responses := member(o, "responses")
	for _, status := range slices.Sorted(maps.Keys(responses)) {
		m := r.follow(responses[status])
		out.Responses = append(out.Responses, docResponse{Status: status, Description: text(m, "description"), Bodies: r.bodies(m)})
	}
	out.Example = r.example(out)
	return out
}

// example is a call that works when the names in capitals are filled in.
func (r docReader) example(o docOperation) string {
	var b strings.Builder
	b.WriteString("curl")
	if o.Method != http.MethodGet {
		b.WriteString(" -X " + o.Method)
	}
	path, mark := o.Path, "?"
	for _, p := range o.Parameters {
		switch {
		case p.In == "path":
			path = strings.ReplaceAll(path, "{"+p.Name+"}", strings.ToUpper(p.Name))
		case p.In == "query" && p.Required:
			path, mark = path+mark+p.Name+"="+strings.ToUpper(p.Name), "&"
		}
	}
	b.WriteString(" '" + r.origin + path + "'")
	switch o.Access {
	case "key", "optional":
		b.WriteString(` -H "Authorization: Bearer $KEY"`)
	case "token":
		b.WriteString(` -H "Authorization: Bearer $TOKEN"`)
	}
	if len(o.Bodies) > 0 {
		b.WriteString(" -H 'Content-Type: " + o.Bodies[0].MediaType + "' --data-binary @FILE")
	}
	return b.String()
}

func (r docReader) bodies(m map[string]any) []docBody {
	content := member(m, "content")
	var out []docBody
	for _, mediaType := range slices.Sorted(maps.Keys(content)) {
		out = append(out, docBody{MediaType: mediaType, Type: shape(member(content, mediaType, "schema"))})
	}
	return out
}

// follow returns v, or what its $ref leads to.
func (r docReader) follow(v any) map[string]any {
	m, _ := v.(map[string]any)
	ref, ok := m["$ref"].(string)
	if !ok {
		return m
	}
	return member(r.root, strings.Split(strings.TrimPrefix(ref, "#/"), "/")...)
}

// access reads who may call an operation.
func access(o map[string]any) (who, scope string) {
	list, _ := o["security"].([]any)
	who = "public"
	for _, item := range list {
		requirement, _ := item.(map[string]any)
		if scopes, ok := requirement["apiKey"]; ok {
			if who, scope = "key", first(scopes); len(list) > 1 {
				who = "optional"
			}
		}
		if _, ok := requirement["accessToken"]; ok {
			who = "token"
		}
	}
	return who, scope
}

// shape writes a schema in a few words.
func shape(s map[string]any) docShape {
	if ref, ok := s["$ref"].(string); ok {
		name := ref[strings.LastIndexByte(ref, '/')+1:]
		return docShape{Text: name, Ref: name}
	}
	for _, of := range []string{"oneOf", "anyOf", "allOf"} {
		if list, ok := s[of].([]any); ok {
			var names []string
			for _, v := range list {
				m, _ := v.(map[string]any)
				names = append(names, shape(m).Text)
			}
			return docShape{Text: strings.Join(names, map[string]string{"allOf": " & "}[of]+map[string]string{"oneOf": " | ", "anyOf": " | "}[of])}
		}
	}
	kind := text(s, "type")
	switch {
	case kind == "array":
		inner := shape(member(s, "items"))
		return docShape{Text: "[" + inner.Text + "]", Ref: inner.Ref}
	case s["enum"] != nil:
		list, _ := s["enum"].([]any)
		var values []string
		for _, v := range list {
			values = append(values, fmt.Sprint(v))
		}
		return docShape{Text: strings.Join(values, " | ")}
	case kind == "object" && len(member(s, "properties")) > 0:
		return docShape{Text: "{" + strings.Join(slices.Sorted(maps.Keys(member(s, "properties"))), ", ") + "}"}
	}
	return docShape{Text: strings.TrimSpace(kind + " " + text(s, "format"))}
}

// types gathers the components that the operations of a group lead to, and those behind them.
func (d *document) types(g *docGroup) {
	found := map[string]bool{}
	var reach func(v any)
	reach = func(v any) {
		switch x := v.(type) {
		case map[string]any:
			if ref, ok := x["$ref"].(string); ok {
				if name, ok := strings.CutPrefix(ref, "#/components/schemas/"); ok && !found[name] {
					found[name] = true
					reach(d.schemas[name])
				}
			}
			for _, inner := range x {
				reach(inner)
			}
		case []any:
			for _, inner := range x {
				reach(inner)
			}
		}
	}
	for _, o := range g.Operations {
		for _, b := range o.Bodies {
			reach(map[string]any{"$ref": "#/components/schemas/" + b.Type.Ref})
		}
		for _, r := range o.Responses {
			for _, b := range r.Bodies {
				reach(map[string]any{"$ref": "#/components/schemas/" + b.Type.Ref})
			}
		}
	}
	delete(found, "")
	for _, name := range slices.Sorted(maps.Keys(found)) {
		g.Types = append(g.Types, newDocType(name, member(d.schemas, name)))
	}
}

func newDocType(name string, s map[string]any) docType {
	t := docType{Name: name, Description: text(s, "description"), Shape: shape(s)}
	required, _ := s["required"].([]any)
	properties := member(s, "properties")
	for _, member := range slices.Sorted(maps.Keys(properties)) {
		p, _ := properties[member].(map[string]any)
		t.Members = append(t.Members, docMember{
			Name: member, Description: text(p, "description"), Type: shape(p), Required: slices.Contains(required, any(member)),
		})
	}
	slices.SortStableFunc(t.Members, func(a, b docMember) int { return cmp.Compare(rank(a.Required), rank(b.Required)) })
	return t
}

func rank(required bool) int {
	if required {
		return 0
	}
	return 1
}

func member(m map[string]any, names ...string) map[string]any {
	for _, name := range names {
		m, _ = m[name].(map[string]any)
	}
	return m
}

func text(m map[string]any, names ...string) string {
	s, _ := member(m, names[:len(names)-1]...)[names[len(names)-1]].(string)
	return strings.TrimSpace(s)
}

func first(v any) string {
	list, _ := v.([]any)
	if len(list) == 0 {
		return ""
	}
	s, _ := list[0].(string)
	return s
}

func paragraphs(s string) []string {
	var out []string
	for part := range strings.SplitSeq(s, "\n\n") {
		if part = strings.Join(strings.Fields(part), " "); part != "" {
			out = append(out, part)
		}
	}
	return out
}

type docsPage struct {
	page
	Document *document
	Group    *docGroup // nil: the overview
}

// Docs answers the overview of the API document, or with a group's name its operations and types.
func (p *Pages) Docs(w http.ResponseWriter, r *http.Request, group string) error {
	texts := p.begin(w, r)
	data := docsPage{page: p.page(texts, "docs", "docs"), Document: p.contract}
	if group != "" {
		i := slices.IndexFunc(p.contract.Groups, func(g *docGroup) bool { return g.Name == group })
		if i < 0 {
			return fmt.Errorf("API document: %w", problem.ErrNotFound)
		}
		data.Group = p.contract.Groups[i]
		data.Title += ": " + group
	}
	return p.render(w, texts.Lang, "docs", "base", http.StatusOK, data)
}
