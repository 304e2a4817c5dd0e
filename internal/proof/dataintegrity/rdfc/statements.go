package rdfc

import (
	"bytes"
	"cmp"
	"slices"
	"strconv"
)

// noNode stands in a statement's place that is no blank node.
const noNode = int32(-1)

// statement is a quad whose object and graph are written once, with gaps where blank nodes' labels go:
// text[from:mid] is the object, text[mid:to] the graph with a space in front; gaps are empty.
type statement struct {
	iri                    string // subject, where it is no blank node
	predicate              string
	subject, object, graph int32 // blank nodes by number
	entry                  int32 // of the subject in Graph.subjects
	from, mid, to          int32
}

// statements is a dataset in order and without repetitions. Statements stand in the order of their lines but for what
// the labels of blank nodes decide.
type statements struct {
	list []statement
	text []byte
	runs []run
	// mentions[first[n]:first[n+1]] are the statements that name blank node n, each once
	mentions []int32
	first    []int32
	order    []int32
}

// run is the part list[from:to] of the statements, which is about one subject. Its order is open where it has several
// statements whose places depend on labels.
type run struct {
	from, to int32
	open     bool
}

// take fills s from g in order.
func (s *statements) take(g *Graph) {
	s.text = g.text
	s.sortSubjects(g)
	s.place(g)
	compare := comparison{text: s.text}
	kept, runs := s.list[:0], s.runs[:0]
	for _, r := range s.runs {
		if r.from == r.to {
			continue
		}
		part := s.list[r.from:r.to]
		sortPart(part, compare)
		start, blank := int32(len(kept)), 0
		for k := range part { // a dataset is a set, and repetitions would change the hashes
			if k == 0 || compare.of(&part[k-1], &part[k]) != 0 {
				kept = append(kept, part[k])
				if part[k].object >= 0 || part[k].graph >= 0 {
					blank++
				}
			}
		}
		runs = append(runs, run{from: start, to: int32(len(kept)), open: blank > 1})
	}
	s.list, s.runs = kept, runs
	s.index(int(g.blanks))
}

// sortSubjects gives each entry of g.subjects its run: IRIs in their order, then blank nodes.
func (s *statements) sortSubjects(g *Graph) {
	s.order = s.order[:0]
	for i := range g.subjects {
		s.order = append(s.order, int32(i))
	}
	compare := func(a, b *subject) int {
		if a.node != b.node {
			if a.node < 0 {
				return -1
			} else if b.node < 0 {
				return 1
			}
			return cmp.Compare(a.node, b.node)
		}
		return compareNames(a.iri, b.iri)
	}
	slices.SortFunc(s.order, func(a, b int32) int { return compare(&g.subjects[a], &g.subjects[b]) })
	s.runs = s.runs[:0]
	for k, i := range s.order {
		if k == 0 || compare(&g.subjects[s.order[k-1]], &g.subjects[i]) != 0 {
			s.runs = append(s.runs, run{})
		}
		g.subjects[i].run = int32(len(s.runs) - 1)
	}
}

// place copies the statements of g to their runs.
func (s *statements) place(g *Graph) {
	for i := range g.list {
		s.runs[g.subjects[g.list[i].entry].run].to++
	}
	next := int32(0)
	for i := range s.runs {
		size := s.runs[i].to
		s.runs[i] = run{from: next, to: next}
		next += size
	}
	s.list = slices.Grow(s.list[:0], len(g.list))[:len(g.list)]
	for i := range g.list {
		r := &s.runs[g.subjects[g.list[i].entry].run]
		s.list[r.to] = g.list[i]
		r.to++
	}
}

// sortPart sorts the statements about one subject, mostly a handful.
func sortPart(part []statement, compare comparison) {
	if len(part) > 16 {
		slices.SortFunc(part, func(a, b statement) int { return compare.of(&a, &b) })
		return
	}
	for i := 1; i < len(part); i++ {
		for k := i; k > 0 && compare.of(&part[k-1], &part[k]) > 0; k-- {
			part[k-1], part[k] = part[k], part[k-1]
		}
	}
}

// comparison orders statements about one subject as their lines. Without labels, blank nodes stand in the order of their
// numbers. (A type, so that the compiler sees what is compared and keeps it off the heap.)
type comparison struct {
	text   []byte
	labels []int32 // as in issuer; nil before there are any
}

func (c comparison) of(a, b *statement) int {
	if d := compareNames(a.predicate, b.predicate); d != 0 {
		return d
	}
	if d := c.place(a.object, b.object, a.from, a.mid, b.from, b.mid); d != 0 {
		return d
	}
	return c.place(a.graph, b.graph, a.mid, a.to, b.mid, b.to)
}

// place compares two objects or two graphs: blank nodes come last, everything else by its text.
func (c comparison) place(a, b, aFrom, aTo, bFrom, bTo int32) int {
	switch {
	case a < 0 && b < 0:
		return bytes.Compare(c.text[aFrom:aTo], c.text[bFrom:bTo])
	case a < 0:
		return -1
	case b < 0:
		return 1
	case c.labels == nil:
		return cmp.Compare(a, b)
	}
	return compareNumbers(c.labels[a], c.labels[b])
}

func (s *statements) index(blanks int) {
	s.first = slices.Grow(s.first[:0], blanks+1)[:blanks+1]
	clear(s.first)
	each := func(st *statement, visit func(n int32)) {
		if st.subject >= 0 {
			visit(st.subject)
		}
		if st.object >= 0 && st.object != st.subject {
			visit(st.object)
		}
		if st.graph >= 0 && st.graph != st.subject && st.graph != st.object {
			visit(st.graph)
		}
	}
	for i := range s.list {
		each(&s.list[i], func(n int32) { s.first[n+1]++ })
	}
	for n := range blanks {
		s.first[n+1] += s.first[n]
	}
	s.mentions = slices.Grow(s.mentions[:0], int(s.first[blanks]))[:s.first[blanks]]
	s.order = append(s.order[:0], s.first...)
	for i := range s.list {
		each(&s.list[i], func(n int32) {
			s.mentions[s.order[n]] = int32(i)
			s.order[n]++
		})
	}
}

// of returns the statements that name node n.
func (s *statements) of(n int32) []int32 { return s.mentions[s.first[n]:s.first[n+1]] }

// appendLine writes st as a line of N-Quads; label writes the label of a blank node without "_:".
func (s *statements) appendLine(b []byte, st *statement, label func(b []byte, n int32) []byte) []byte {
	if st.subject >= 0 {
		b = label(append(b, '_', ':'), st.subject)
	} else {
		b = append(b, '<')
		b = append(b, st.iri...)
		b = append(b, '>')
	}
	b = append(b, ' ', '<')
	b = append(b, st.predicate...)
	b = append(b, '>', ' ')
	if st.object >= 0 {
		b = label(append(b, '_', ':'), st.object)
	}
	b = append(b, s.text[st.from:st.to]...)
	if st.graph >= 0 {
		b = label(append(b, ' ', '_', ':'), st.graph)
	}
	return append(b, ' ', '.', '\n')
}

func appendNumber(b []byte, n int32) []byte { return strconv.AppendInt(b, int64(n), 10) }

// compareNumbers gives the order of two labels of an issuer as written.
func compareNumbers(a, b int32) int {
	if a <= 10 && b <= 10 {
		return cmp.Compare(a, b)
	}
	return cmp.Compare(strconv.Itoa(int(a-1)), strconv.Itoa(int(b-1)))
}

// lines is a list of lines in one buffer, for sorting.
type lines struct {
	buf  []byte
	ends []int32
	list [][]byte
}

func (l *lines) reset() { l.buf, l.ends = l.buf[:0], l.ends[:0] }

func (l *lines) end() { l.ends = append(l.ends, int32(len(l.buf))) }

// sorted returns the lines in the order of their bytes, which for UTF-8 is that of their code points.
func (l *lines) sorted() [][]byte {
	l.list = l.list[:0]
	start := int32(0)
	for _, end := range l.ends {
		l.list = append(l.list, l.buf[start:end])
		start = end
	}
	slices.SortFunc(l.list, bytes.Compare)
	return l.list
}
