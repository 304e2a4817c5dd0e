package rdfc

import (
	"bytes"
	"cmp"
	"slices"
)

// noNode stands in a statement's place that is no blank node.
const noNode = int32(-1)

// statement is a quad written once, with gaps where its blank nodes' labels go. text[cut[0]:cut[1]] is the subject,
// then come the predicate with its spaces, the object, and the graph with a space in front; gaps are empty.
type statement struct {
	subject, object, graph int32
	cut                    [5]int32
}

// statements is a dataset made ready for hashing: without repetitions, blank nodes numbered from 0.
type statements struct {
	list   []statement
	text   []byte
	labels []string // blank node number to label
	// mentions[first[n]:first[n+1]] are the statements that name blank node n, each once
	mentions []int32
	first    []int32
}

func prepare(ds Dataset) (*statements, error) {
	s := &statements{list: make([]statement, 0, len(ds)), text: make([]byte, 0, textSize(ds))}
	numbers := map[string]int32{}
	node := func(t Term) int32 {
		if t.Kind != Blank {
			return noNode
		}
		n, ok := numbers[t.Value]
		if !ok {
			n = int32(len(s.labels))
			numbers[t.Value] = n
			s.labels = append(s.labels, t.Value)
		}
		return n
	}
	for i := range ds {
		q := &ds[i]
		if err := q.check(); err != nil {
			return nil, err
		}
		st := statement{subject: node(q.Subject), object: node(q.Object), graph: node(q.Graph)}
		st.cut[0] = int32(len(s.text))
		s.appendTerm(q.Subject)
		st.cut[1] = int32(len(s.text))
		s.text = append(s.text, " <"...)
		s.text = append(s.text, q.Predicate...)
		s.text = append(s.text, "> "...)
		st.cut[2] = int32(len(s.text))
		s.appendTerm(q.Object)
		st.cut[3] = int32(len(s.text))
		if q.Graph.Kind == IRI {
			s.text = append(s.text, ' ')
			s.appendTerm(q.Graph)
		}
		st.cut[4] = int32(len(s.text))
		s.list = append(s.list, st)
	}
	s.unique()
	s.index()
	return s, nil
}

// textSize is about the length of ds as text.
func textSize(ds Dataset) int {
	n := 0
	for i := range ds {
		q := &ds[i]
		n += len(q.Subject.Value) + len(q.Predicate) + len(q.Object.Value) + len(q.Object.Datatype) + len(q.Graph.Value) + 24
	}
	return n
}

func (s *statements) appendTerm(t Term) {
	switch t.Kind {
	case IRI:
		s.text = append(s.text, '<')
		s.text = append(s.text, t.Value...)
		s.text = append(s.text, '>')
	case Literal:
		s.text = appendLiteral(s.text, t)
	default: // blank nodes stand in the label columns
	}
}

// unique drops repeated statements: a dataset is a set, and repetitions would change the hashes.
func (s *statements) unique() {
	compare := func(a, b statement) int {
		if c := bytes.Compare(s.text[a.cut[0]:a.cut[4]], s.text[b.cut[0]:b.cut[4]]); c != 0 {
			return c
		}
		return cmp.Or(
			cmp.Compare(a.subject, b.subject), cmp.Compare(a.object, b.object), cmp.Compare(a.graph, b.graph),
			cmp.Compare(a.cut[1]-a.cut[0], b.cut[1]-b.cut[0]), cmp.Compare(a.cut[2]-a.cut[0], b.cut[2]-b.cut[0]), cmp.Compare(a.cut[3]-a.cut[0], b.cut[3]-b.cut[0]),
		)
	}
	slices.SortFunc(s.list, compare)
	s.list = slices.CompactFunc(s.list, func(a, b statement) bool { return compare(a, b) == 0 })
}

func (s *statements) index() {
	s.first = make([]int32, len(s.labels)+1)
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
	for n := range s.labels {
		s.first[n+1] += s.first[n]
	}
	s.mentions = make([]int32, s.first[len(s.labels)])
	next := slices.Clone(s.first)
	for i := range s.list {
		each(&s.list[i], func(n int32) {
			s.mentions[next[n]] = int32(i)
			next[n]++
		})
	}
}

// of returns the statements that name node n.
func (s *statements) of(n int32) []int32 { return s.mentions[s.first[n]:s.first[n+1]] }

// predicate returns "<iri>" of st.
func (s *statements) predicate(st *statement) []byte {
	return bytes.TrimSpace(s.text[st.cut[1]:st.cut[2]])
}

// appendLine writes st as a line of N-Quads; label writes the label of a blank node without "_:".
func (s *statements) appendLine(b []byte, st *statement, label func(b []byte, n int32) []byte) []byte {
	gap := func(n int32) {
		if n >= 0 {
			b = append(b, '_', ':')
			b = label(b, n)
		}
	}
	gap(st.subject)
	b = append(b, s.text[st.cut[0]:st.cut[2]]...)
	gap(st.object)
	b = append(b, s.text[st.cut[2]:st.cut[4]]...)
	if st.graph >= 0 {
		b = append(b, ' ')
		gap(st.graph)
	}
	return append(b, " .\n"...)
}

// lines is a list of lines in one buffer, for sorting.
type lines struct {
	buf  []byte
	ends []int32
	list [][]byte
}

func (l *lines) reset() { l.buf, l.ends = l.buf[:0], l.ends[:0] }

// grow makes room for count lines of size bytes together.
func (l *lines) grow(size, count int) {
	l.buf = slices.Grow(l.buf, size)
	l.ends = slices.Grow(l.ends, count)
	l.list = slices.Grow(l.list[:0], count)
}

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
