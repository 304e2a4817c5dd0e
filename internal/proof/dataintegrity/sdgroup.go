package dataintegrity

import (
	"crypto"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"heartmark/internal/proof/dataintegrity/rdfc"
)

// sdDocument is a document in the three forms that grouping takes (VC Data Integrity ECDSA, 3.4).
type sdDocument struct {
	processor *Processor
	contexts  []string
	named     map[string]any    // every node has an id
	hidden    map[string]string // blank node to the label that hides it
	lines     []string          // canonical statements under those labels, in their order
	at        map[string]int    // line to its place
}

// hideLabels canonicalises doc, which has no proof, and replaces canonical labels by their HMAC (3.4.3).
func (p *Processor) hideLabels(doc map[string]any, contexts []string, key []byte) (*sdDocument, error) {
	plain, err := p.canonical(doc, contexts, crypto.SHA256)
	if err != nil {
		return nil, err
	}
	if strings.Contains(string(plain), skolemPrefix) {
		return nil, fmt.Errorf("%w: a name begins with %s", ErrDocument, skolemPrefix)
	}
	next := 0
	named, _ := skolemize(doc, &next).(map[string]any)
	d := &sdDocument{processor: p, contexts: contexts, named: named, hidden: map[string]string{}, at: map[string]int{}}
	r, err := d.canonical(named)
	if err != nil {
		return nil, err
	}
	if string(r.NQuads) != string(plain) {
		return nil, fmt.Errorf("%w: its nodes cannot be named without changing what it says", ErrDocument)
	}
	for node, label := range r.Labels {
		d.hidden[node] = hmacLabel(key, label)
	}
	d.lines, err = d.relabel(r)
	for i, line := range d.lines {
		d.at[line] = i
	}
	return d, err
}

// hmacLabel hides a canonical label.
func hmacLabel(key []byte, label string) string {
	mac := hmac.New(sha256.New, key)
	mac.Write([]byte(label))
	return "u" + base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// canonical converts a part of the named document, with its names turned into blank nodes again.
func (d *sdDocument) canonical(part map[string]any) (rdfc.Result, error) {
	ready, err := d.processor.contexts.compile(d.contexts)
	if err != nil {
		return rdfc.Result{}, err
	}
	ds, err := d.processor.generalDataset(part, ready)
	if err != nil {
		return rdfc.Result{}, err
	}
	for i := range ds {
		for _, term := range []*rdfc.Term{&ds[i].Subject, &ds[i].Object, &ds[i].Graph} {
			if label, ok := strings.CutPrefix(term.Value, skolemPrefix); ok && term.Kind == rdfc.IRI {
				*term = rdfc.Term{Kind: rdfc.Blank, Value: label}
			}
		}
	}
	r, err := rdfc.Canonicalize(ds, rdfc.Options{Budget: d.processor.budget})
	if err == nil && strings.Count(string(r.NQuads), "\n") > maxSDStatements {
		err = ErrBudget
	}
	return r, err
}

// relabel returns the statements of r under the hidden labels.
func (d *sdDocument) relabel(r rdfc.Result) ([]string, error) {
	labels := map[string]string{}
	for node, label := range r.Labels {
		labels[label] = d.hidden[node]
	}
	return relabel(r.NQuads, labels)
}

// group returns the places of the statements that pointers select, in order, and the canonical form of the part alone.
func (d *sdDocument) group(pointers []string) (places []int, r rdfc.Result, err error) {
	part, err := selectJSON(d.named, pointers)
	if err != nil || part == nil {
		return nil, rdfc.Result{}, err
	}
	if r, err = d.canonical(part); err != nil {
		return nil, r, err
	}
	lines, err := d.relabel(r)
	if err != nil {
		return nil, r, err
	}
	for _, line := range lines {
		place, found := d.at[line]
		if !found {
			return nil, r, fmt.Errorf("%w: what %v selects means something else alone", ErrPointer, pointers)
		}
		places = append(places, place)
	}
	slices.Sort(places)
	return places, r, nil
}

var canonicalLabel = regexp.MustCompile(`^_:(c14n[0-9]+)$`)

// relabel replaces the canonical labels in canonical N-Quads and sorts the lines anew. A label stands as a whole term:
// first, third or last before the point. Text inside a literal ends with a quote, so no part of it is taken for a term.
func relabel(nquads []byte, labels map[string]string) ([]string, error) {
	var missing error
	term := func(text string) string {
		m := canonicalLabel.FindStringSubmatch(text)
		if m == nil {
			return text
		}
		label, known := labels[m[1]]
		if !known {
			missing = fmt.Errorf("%w: no label for %s", ErrProofShape, m[1])
		}
		return "_:" + label
	}
	var out []string
	for line := range strings.Lines(string(nquads)) {
		subject, rest, _ := strings.Cut(strings.TrimSuffix(line, " .\n"), " ")
		predicate, object, _ := strings.Cut(rest, " ")
		graph := ""
		if at := strings.LastIndexByte(object, ' '); at >= 0 {
			switch last := object[at+1:]; {
			case canonicalLabel.MatchString(last), strings.HasPrefix(last, "<") && strings.HasSuffix(last, ">"):
				object, graph = object[:at], " "+term(last)
			}
		}
		out = append(out, term(subject)+" "+predicate+" "+term(object)+graph+" .\n")
	}
	slices.Sort(out)
	return out, missing
}
