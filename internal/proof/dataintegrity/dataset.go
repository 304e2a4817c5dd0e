package dataintegrity

import (
	"encoding/json"
	"fmt"
	"math"
	"strconv"
	"strings"

	"heartmark/internal/proof/dataintegrity/rdfc"
	"heartmark/schemas"
)

const (
	rdfNS  = "http://www.w3.org/1999/02/22-rdf-syntax-ns#"
	xsdNS  = "http://www.w3.org/2001/XMLSchema#"
	i18nNS = "https://www.w3.org/ns/i18n#"
)

// undefinedMark is the vocabulary under which a second expansion puts undefined terms, to name them in the error.
const undefinedMark = "urn:heartmark:undefined#"

// converter turns expanded JSON-LD into a dataset (JSON-LD 1.1 API, 8: deserialization to RDF, with base direction as
// i18n datatypes). Where the algorithm drops something silently, the converter fails.
type converter struct {
	dataset rdfc.Dataset
	blanks  int
}

func (c *converter) blank() rdfc.Term {
	c.blanks++
	return rdfc.Term{Kind: rdfc.Blank, Value: "g" + strconv.Itoa(c.blanks)}
}

func (c *converter) add(s rdfc.Term, predicate string, o, graph rdfc.Term) {
	c.dataset = append(c.dataset, rdfc.Quad{Subject: s, Predicate: predicate, Object: o, Graph: graph})
}

// name reads an IRI, or the label of a blank node, in the place of a node.
func (c *converter) name(v any) (rdfc.Term, error) {
	s, ok := v.(string)
	if !ok {
		return rdfc.Term{}, fmt.Errorf("%w: @id is no string", ErrDocument)
	}
	if label, ok := strings.CutPrefix(s, "_:"); ok {
		if label == "" {
			return rdfc.Term{}, fmt.Errorf("%w: blank node without label", ErrDocument)
		}
		return rdfc.Term{Kind: rdfc.Blank, Value: "u" + label}, nil
	}
	if err := absolute(s, "name"); err != nil {
		return rdfc.Term{}, err
	}
	return rdfc.Term{Kind: rdfc.IRI, Value: s}, nil
}

// absolute refuses what the RDF conversion would drop: IRIs without scheme, of blank nodes, and of undefined terms.
func absolute(s, what string) error {
	if term, ok := strings.CutPrefix(s, undefinedMark); ok {
		return fmt.Errorf("%w: %.200q", ErrUndefinedTerm, term)
	}
	for i, r := range s {
		switch {
		case r >= 'a' && r <= 'z' || r >= 'A' && r <= 'Z':
			continue
		case i > 0 && (r >= '0' && r <= '9' || r == '+' || r == '-' || r == '.'):
			continue
		case i > 0 && r == ':' && i+1 < len(s):
			return nil
		}
		break
	}
	if what == "type" || what == "property" {
		return fmt.Errorf("%w: %s %.200q", ErrUndefinedTerm, what, s)
	}
	return fmt.Errorf("%w: %s %.200q is not absolute", ErrDocument, what, s)
}

// node adds the statements about an expanded node object and returns its name.
func (c *converter) node(m map[string]any, graph rdfc.Term) (rdfc.Term, error) {
	subject, err := c.subject(m)
	if err != nil {
		return rdfc.Term{}, err
	}
	for property, v := range m {
		switch property {
		case "@id":
			continue
		case "@type":
			err = c.types(subject, v, graph)
		case "@graph":
			err = c.graph(v, subject)
		default:
			err = c.property(subject, property, v, graph)
		}
		if err != nil {
			return rdfc.Term{}, err
		}
	}
	return subject, nil
}

func (c *converter) subject(m map[string]any) (rdfc.Term, error) {
	if id, ok := m["@id"]; ok {
		return c.name(id)
	}
	return c.blank(), nil
}

func (c *converter) types(subject rdfc.Term, v any, graph rdfc.Term) error {
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf("%w: @type is no list", ErrDocument)
	}
	for _, item := range list {
		s, ok := item.(string)
		if !ok {
			return fmt.Errorf("%w: type is no string", ErrDocument)
		}
		if err := absolute(s, "type"); err != nil {
			return err
		}
		c.add(subject, rdfNS+"type", rdfc.Term{Kind: rdfc.IRI, Value: s}, graph)
	}
	return nil
}

func (c *converter) graph(v any, name rdfc.Term) error {
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf("%w: @graph is no list", ErrDocument)
	}
	for _, item := range list {
		m, ok := item.(map[string]any)
		if !ok {
			return fmt.Errorf("%w: @graph holds no node", ErrDocument)
		}
		if _, err := c.node(m, name); err != nil {
			return err
		}
	}
	return nil
}

func (c *converter) property(subject rdfc.Term, property string, v any, graph rdfc.Term) error {
	if strings.HasPrefix(property, "@") || strings.HasPrefix(property, "_:") {
		return fmt.Errorf("%w: %s is not signed", ErrDocument, property)
	}
	if err := absolute(property, "property"); err != nil {
		return err
	}
	list, ok := v.([]any)
	if !ok {
		return fmt.Errorf("%w: values of %s are no list", ErrDocument, property)
	}
	for _, item := range list {
		o, err := c.object(item, graph)
		if err != nil {
			return err
		}
		c.add(subject, property, o, graph)
	}
	return nil
}

func (c *converter) object(v any, graph rdfc.Term) (rdfc.Term, error) {
	m, ok := v.(map[string]any)
	if !ok {
		return rdfc.Term{}, fmt.Errorf("%w: expanded value is no object", ErrDocument)
	}
	if value, ok := m["@value"]; ok {
		return literal(m, value)
	}
	if list, ok := m["@list"]; ok {
		if len(m) != 1 {
			return rdfc.Term{}, fmt.Errorf("%w: a list with other members", ErrDocument)
		}
		return c.list(list, graph)
	}
	return c.node(m, graph)
}

// list adds an RDF collection and returns its head.
func (c *converter) list(v any, graph rdfc.Term) (rdfc.Term, error) {
	items, ok := v.([]any)
	if !ok {
		return rdfc.Term{}, fmt.Errorf("%w: @list is no list", ErrDocument)
	}
	nilTerm := rdfc.Term{Kind: rdfc.IRI, Value: rdfNS + "nil"}
	if len(items) == 0 {
		return nilTerm, nil
	}
	head := c.blank()
	for i, here := 0, head; i < len(items); i++ {
		o, err := c.object(items[i], graph)
		if err != nil {
			return rdfc.Term{}, err
		}
		c.add(here, rdfNS+"first", o, graph)
		next := nilTerm
		if i+1 < len(items) {
			next = c.blank()
		}
		c.add(here, rdfNS+"rest", next, graph)
		here = next
	}
	return head, nil
}

// literal converts a value object.
func literal(m map[string]any, value any) (rdfc.Term, error) {
	t := rdfc.Term{Kind: rdfc.Literal}
	var language, direction string
	for name, v := range m {
		s, isString := v.(string)
		switch {
		case name == "@value":
			continue
		case !isString:
			return t, fmt.Errorf("%w: %s of a value is no string", ErrDocument, name)
		case name == "@type":
			t.Datatype = s
		case name == "@language":
			language = s
		case name == "@direction":
			direction = s
		default:
			return t, fmt.Errorf("%w: %s of a value is not signed", ErrDocument, name)
		}
	}
	if t.Datatype == "@json" {
		data, err := schemas.CanonicalJSON(value)
		if err != nil {
			return t, fmt.Errorf("%w: JSON literal: %w", ErrDocument, err)
		}
		t.Value, t.Datatype = string(data), rdfNS+"JSON"
		return t, nil
	}
	if t.Datatype != "" {
		if err := absolute(t.Datatype, "type"); err != nil {
			return t, err
		}
	}
	switch v := value.(type) {
	case bool:
		t.Value = strconv.FormatBool(v)
		if t.Datatype == "" {
			t.Datatype = xsdNS + "boolean"
		}
		return t, nil
	case json.Number:
		return numeric(t, v)
	case string:
		t.Value = v
		return tagged(t, language, direction)
	}
	return t, fmt.Errorf("%w: value of a kind that JSON-LD has not", ErrDocument)
}

// tagged gives a string its language and base direction.
func tagged(t rdfc.Term, language, direction string) (rdfc.Term, error) {
	if language != "" && !rdfc.ValidLanguage(language) {
		return t, fmt.Errorf("%w: language %.50q", ErrDocument, language)
	}
	for part := range strings.SplitSeq(language, "-") {
		if len(part) > 8 { // BCP 47; other implementations refuse longer parts
			return t, fmt.Errorf("%w: language %.50q", ErrDocument, language)
		}
	}
	switch direction {
	case "":
		t.Language = language
	case "ltr", "rtl":
		t.Datatype = i18nNS + language + "_" + direction
	default:
		return t, fmt.Errorf("%w: direction %.50q", ErrDocument, direction)
	}
	return t, nil
}

// numeric writes a number as xsd:integer, or as xsd:double in its canonical form, which has 16 digits: a number with
// more is refused, since its neighbours would be signed as the same.
func numeric(t rdfc.Term, n json.Number) (rdfc.Term, error) {
	f, err := strconv.ParseFloat(n.String(), 64)
	if err != nil {
		return t, fmt.Errorf("%w: number %.50q", ErrDocument, n.String())
	}
	if f == math.Trunc(f) && math.Abs(f) < 1e21 && t.Datatype != xsdNS+"double" {
		t.Value = strconv.FormatFloat(f+0, 'f', 0, 64)
		if f == 0 {
			t.Value = "0"
		}
		if t.Datatype == "" {
			t.Datatype = xsdNS + "integer"
		}
		return t, nil
	}
	text := strconv.FormatFloat(f, 'e', 15, 64)
	if back, err := strconv.ParseFloat(text, 64); err != nil || back != f {
		return t, fmt.Errorf("%w: number %s has more than 16 digits", ErrDocument, n)
	}
	mantissa, exponent, _ := strings.Cut(text, "e")
	mantissa = strings.TrimRight(mantissa, "0")
	if strings.HasSuffix(mantissa, ".") {
		mantissa += "0"
	}
	power, err := strconv.Atoi(exponent)
	if err != nil {
		return t, fmt.Errorf("%w: number %s", ErrDocument, n)
	}
	t.Value = mantissa + "E" + strconv.Itoa(power)
	if t.Datatype == "" {
		t.Datatype = xsdNS + "double"
	}
	return t, nil
}
