package text

// trie is a byte trie. The children of a node form a chain; the root, where every piece passes, has a full row.
type trie struct {
	nodes []node
	root  [256]int32
}

type node struct {
	piece   int32 // id of the piece that ends here, or -1
	child   int32 // first child, or -1
	sibling int32 // next child of the same parent, or -1
	label   byte
}

func newTrie() trie {
	t := trie{nodes: []node{{piece: -1, child: -1, sibling: -1}}}
	for i := range t.root {
		t.root[i] = -1
	}
	return t
}

func (t *trie) add(piece string, id int32) {
	at := int32(0)
	for i := 0; i < len(piece); i++ {
		to := t.next(at, piece[i])
		if to < 0 {
			to = int32(len(t.nodes))
			t.nodes = append(t.nodes, node{piece: -1, child: -1, sibling: t.nodes[at].child, label: piece[i]})
			t.nodes[at].child = to
			if at == 0 {
				t.root[piece[i]] = to
			}
		}
		at = to
	}
	t.nodes[at].piece = id
}

// next is the child of a node by label, or -1.
func (t *trie) next(at int32, label byte) int32 {
	if at == 0 {
		return t.root[label]
	}
	for to := t.nodes[at].child; to >= 0; to = t.nodes[to].sibling {
		if t.nodes[to].label == label {
			return to
		}
	}
	return -1
}
