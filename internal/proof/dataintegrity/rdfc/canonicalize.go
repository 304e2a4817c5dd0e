package rdfc

import (
	"bytes"
	"cmp"
	"crypto"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
)

// ErrBudget is returned for a dataset that would take more work than allowed. Answer 400: it is built to cost, or far
// larger than what credentials need.
var ErrBudget = errors.New("canonicalisation takes too much work")

// Budget bounds the work. A zero field means its default.
type Budget struct {
	Statements int // statements in the dataset; default 10,000
	BlankNodes int // blank nodes that their own statements do not tell apart; default 64
	Calls      int // N-degree hashes and orders tried in them; default 4,000
	Hashes     int // hashes of neighbours within those; default 200,000
}

func (b Budget) withDefaults() Budget {
	for _, d := range []struct {
		field *int
		value int
	}{{&b.Statements, 10_000}, {&b.BlankNodes, 64}, {&b.Calls, 4_000}, {&b.Hashes, 200_000}} {
		if *d.field == 0 {
			*d.field = d.value
		}
	}
	return b
}

// Options say how to canonicalise. The zero value means SHA-256 and the default budget.
type Options struct {
	Hash   crypto.Hash // crypto.SHA256 or crypto.SHA384
	Budget Budget
}

// Result is a canonicalised dataset.
type Result struct {
	NQuads []byte            // canonical N-Quads: sorted lines, each ended by a newline
	Labels map[string]string // blank node label in the input to canonical label, both without "_:"
}

// Canonicalize labels the blank nodes of ds by RDFC-1.0, 4.4 and writes it in canonical form. It returns ErrBudget or
// ErrTerm, and an error for an unknown hash. ds is only read.
func Canonicalize(ds Dataset, o Options) (Result, error) {
	if limit := o.Budget.withDefaults().Statements; len(ds) > limit {
		return Result{}, fmt.Errorf("%w: %d statements", ErrBudget, len(ds))
	}
	g, labels, err := graphOf(ds)
	if err != nil {
		return Result{}, err
	}
	c := &g.work
	if err := c.run(g, o); err != nil {
		return Result{}, err
	}
	r := Result{NQuads: c.write(nil), Labels: make(map[string]string, len(labels))}
	for n, label := range labels {
		r.Labels[label] = string(c.appendCanonical(nil, int32(n)))
	}
	return r, nil
}

// canonicalizer is the canonicalisation state (RDFC-1.0, 4.3). A used one is ready again for the next run.
type canonicalizer struct {
	statements
	size      int // of a hash, in bytes
	budget    Budget
	digests   []byte // first-degree hashes in hex, 2*size bytes a node
	nodes     []int32
	canonical issuer
	lines     lines
	scratch   []byte
}

// run orders the statements of g and labels its blank nodes.
func (c *canonicalizer) run(g *Graph, o Options) error {
	c.budget = o.Budget.withDefaults()
	switch o.Hash {
	case 0, crypto.SHA256:
		c.size = sha256.Size
	case crypto.SHA384:
		c.size = sha512.Size384
	default:
		return fmt.Errorf("unknown hash %v", o.Hash)
	}
	if len(g.list) > c.budget.Statements {
		return fmt.Errorf("%w: %d statements", ErrBudget, len(g.list))
	}
	c.take(g)
	return c.label(int(g.blanks))
}

// issuer gives out labels in order of asking (RDFC-1.0, 4.5).
type issuer struct {
	label []int32 // node to 1 + number of its label; 0 is none
	order []int32 // nodes in order of issuing
}

func (i *issuer) issue(n int32) {
	if i.label[n] == 0 {
		i.order = append(i.order, n)
		i.label[n] = int32(len(i.order))
	}
}

func (i *issuer) clone() issuer {
	return issuer{label: slices.Clone(i.label), order: slices.Clone(i.order)}
}

func (c *canonicalizer) hash(dst, data []byte) []byte {
	if c.size == sha256.Size {
		sum := sha256.Sum256(data)
		return append(dst, sum[:]...)
	}
	sum := sha512.Sum384(data)
	return append(dst, sum[:]...)
}

func (c *canonicalizer) digest(n int32) []byte {
	return c.digests[int(n)*2*c.size : int(n+1)*2*c.size]
}

// label issues a canonical label to every blank node (4.4.3, steps 3 to 5).
func (c *canonicalizer) label(n int) error {
	c.canonical.label = slices.Grow(c.canonical.label[:0], n)[:n]
	clear(c.canonical.label)
	c.canonical.order = c.canonical.order[:0]
	c.digests = c.digests[:0]
	nodes := c.nodes[:0]
	for i := range int32(n) {
		c.firstDegree(i)
		if len(c.of(i)) > 0 { // a node without statements is none of the dataset's
			nodes = append(nodes, i)
		}
	}
	c.nodes = nodes
	slices.SortFunc(nodes, func(a, b int32) int { return bytes.Compare(c.digest(a), c.digest(b)) })
	var shared [][]int32
	unclear := 0
	for start := 0; start < len(nodes); {
		end := start + 1
		for end < len(nodes) && bytes.Equal(c.digest(nodes[start]), c.digest(nodes[end])) {
			end++
		}
		if end == start+1 {
			c.canonical.issue(nodes[start])
		} else {
			shared = append(shared, nodes[start:end])
			unclear += end - start
		}
		start = end
	}
	if unclear > c.budget.BlankNodes {
		return fmt.Errorf("%w: %d blank nodes that look alike", ErrBudget, unclear)
	}
	for _, group := range shared {
		if err := c.labelGroup(group); err != nil {
			return err
		}
	}
	return nil
}

func (c *canonicalizer) labelGroup(group []int32) error {
	type path struct {
		hash   []byte
		issuer issuer
	}
	var paths []path
	for _, n := range group {
		if c.canonical.label[n] != 0 {
			continue
		}
		temporary := issuer{label: make([]int32, len(c.canonical.label))}
		temporary.issue(n)
		hash, issued, err := c.nDegree(n, temporary)
		if err != nil {
			return err
		}
		paths = append(paths, path{hash: hash, issuer: issued})
	}
	slices.SortStableFunc(paths, func(a, b path) int { return bytes.Compare(a.hash, b.hash) })
	for _, p := range paths {
		for _, n := range p.issuer.order {
			c.canonical.issue(n)
		}
	}
	return nil
}

// firstDegree appends the hash of node n's own statements (4.6), in hex.
func (c *canonicalizer) firstDegree(n int32) {
	c.lines.reset()
	for _, i := range c.of(n) {
		c.lines.buf = c.appendLine(c.lines.buf, &c.list[i], func(b []byte, other int32) []byte {
			if other == n {
				return append(b, 'a')
			}
			return append(b, 'z')
		})
		c.lines.end()
	}
	c.scratch = c.scratch[:0]
	for _, line := range c.lines.sorted() {
		c.scratch = append(c.scratch, line...)
	}
	var sum [sha512.Size384]byte
	c.digests = hex.AppendEncode(c.digests, c.hash(sum[:0], c.scratch))
}

const labelPrefix = "c14n"

func (c *canonicalizer) appendCanonical(b []byte, n int32) []byte {
	return appendNumber(append(b, labelPrefix...), c.canonical.label[n]-1)
}

// write appends the statements in their final order to dst.
func (c *canonicalizer) write(dst []byte) []byte {
	size := 0
	for i := range c.list {
		st := &c.list[i]
		size += len(st.iri) + len(st.predicate) + int(st.to-st.from) + 32
	}
	dst = slices.Grow(dst, size)
	slices.SortFunc(c.runs, c.compareRuns)
	compare := comparison{text: c.text, labels: c.canonical.label}
	for _, r := range c.runs {
		part := c.list[r.from:r.to]
		if r.open {
			sortPart(part, compare)
		}
		for i := range part {
			dst = c.appendLine(dst, &part[i], c.appendCanonical)
		}
	}
	return dst
}

// compareRuns keeps the order of IRIs, which come first, and puts blank nodes in that of their labels.
func (c *canonicalizer) compareRuns(a, b run) int {
	x, y := c.list[a.from].subject, c.list[b.from].subject
	if x < 0 || y < 0 {
		return cmp.Or(cmp.Compare(min(x, 0), min(y, 0)), cmp.Compare(a.from, b.from))
	}
	return compareNumbers(c.canonical.label[x], c.canonical.label[y])
}
