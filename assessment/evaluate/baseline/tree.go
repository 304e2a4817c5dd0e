package baseline

import (
	"math/bits"
	"math/rand/v2"
)

// node of a tree. feature < 0: a leaf whose class shares start at tree.shares[child*classes]; else the children are child
// (value at most threshold, which is the upper cut of bin) and child+1.
type node struct {
	threshold float32
	feature   int32
	child     int32
	bin       uint8
}

type tree struct {
	nodes  []node
	shares []float32 // [leaves, classes]
}

// leaf walks x to its leaf and returns the class shares there.
func (t *tree) leaf(x []float32, classes int) []float32 {
	n := t.nodes[0]
	for n.feature >= 0 {
		if x[n.feature] <= n.threshold {
			n = t.nodes[n.child]
		} else {
			n = t.nodes[n.child+1]
		}
	}
	return t.shares[int(n.child)*classes : (int(n.child)+1)*classes]
}

// leafOfRow is leaf for a training row, by its bins.
func (t *tree) leafOfRow(columns [][]uint8, row, classes int) []float32 {
	n := t.nodes[0]
	for n.feature >= 0 {
		if columns[n.feature][row] <= n.bin {
			n = t.nodes[n.child]
		} else {
			n = t.nodes[n.child+1]
		}
	}
	return t.shares[int(n.child)*classes : (int(n.child)+1)*classes]
}

// grower grows one tree at a time; its buffers serve the next tree of the same worker.
type grower struct {
	binned
	y       []int
	classes int
	classW  []float64
	o       ForestOptions

	random  *rand.Rand
	weight  []float64 // by row: times drawn, times the class weight
	rows    []int32   // the rows that were drawn, in the order of the leaves as they split
	spare   []int32
	pending []span
	feature []int32 // a permutation of the features; each node draws from it

	// Of the node at hand, by position in it: classes, weights, and the list of the rows in one bin.
	label []int32
	heavy []float64
	next  []int32
	head  [most]int32 // by bin: 1 + the first position, 0 for none
	used  [most / 64]uint64
	total []float64
	left  []float64
}

// span is a node that waits to be split: rows[from:to] belong to it.
type span struct{ node, from, to, depth int }

// split is a way to part a node: bins up to bin go left.
type split struct {
	feature int32
	bin     int
	score   float64
}

func newGrower(b binned, y []int, classes int, o ForestOptions) *grower {
	n := len(y)
	g := &grower{binned: b, y: y, classes: classes, classW: balance(y, classes, o.Balanced), o: o}
	g.weight, g.heavy = make([]float64, n), make([]float64, n)
	g.rows, g.spare, g.label, g.next = make([]int32, 0, n), make([]int32, 0, n), make([]int32, n), make([]int32, n)
	g.feature = make([]int32, len(b.columns))
	g.total, g.left = make([]float64, classes), make([]float64, classes)
	return g
}

// draw takes as many rows as there are, with replacement, and returns the set of drawn rows, one bit each.
func (g *grower) draw(number uint64) []uint64 {
	g.random = rand.New(rand.NewPCG(g.o.Seed, number))
	clear(g.weight)
	for range g.y {
		i := g.random.IntN(len(g.y))
		g.weight[i] += g.classW[g.y[i]]
	}
	in := make([]uint64, (len(g.y)+63)/64)
	g.rows = g.rows[:0]
	for i, w := range g.weight {
		if w > 0 {
			in[i/64] |= 1 << (i % 64)
			g.rows = append(g.rows, int32(i))
		}
	}
	return in
}

// grow draws rows for tree number and grows it; the result depends on the seed and the number only.
func (g *grower) grow(number uint64) (t tree, in []uint64) {
	in = g.draw(number)
	for f := range g.feature {
		g.feature[f] = int32(f)
	}
	t.nodes = append(t.nodes, node{})
	g.pending = append(g.pending[:0], span{from: 0, to: len(g.rows)})
	for len(g.pending) > 0 {
		s := g.pending[len(g.pending)-1]
		g.pending = g.pending[:len(g.pending)-1]
		pure := g.look(s)
		best, found := split{}, false
		if !pure && (g.o.MaxDepth == 0 || s.depth < g.o.MaxDepth) && s.to-s.from >= 2*g.o.MinLeaf {
			best, found = g.search(s)
		}
		if !found {
			t.nodes[s.node] = node{feature: -1, child: int32(len(t.shares) / g.classes)}
			t.shares = g.appendShares(t.shares)
			continue
		}
		g.part(&t, s, best)
	}
	return t, in
}

// look gathers the labels and weights of a node and reports whether one class is alone in it.
func (g *grower) look(s span) (pure bool) {
	clear(g.total)
	present := 0
	for at, r := range g.rows[s.from:s.to] {
		c := g.y[r]
		if g.total[c] == 0 {
			present++
		}
		g.total[c] += g.weight[r]
		g.label[at], g.heavy[at] = int32(c), g.weight[r]
	}
	return present <= 1
}

func (g *grower) appendShares(shares []float32) []float32 {
	sum := 0.0
	for _, w := range g.total {
		sum += w
	}
	for _, w := range g.total {
		shares = append(shares, float32(w/sum))
	}
	return shares
}

// part splits a node in place, its rows in their old order on either side.
func (g *grower) part(t *tree, s span, best split) {
	column := g.columns[best.feature]
	g.spare = g.spare[:0]
	middle := s.from
	for _, r := range g.rows[s.from:s.to] {
		if int(column[r]) <= best.bin {
			g.rows[middle] = r
			middle++
		} else {
			g.spare = append(g.spare, r)
		}
	}
	copy(g.rows[middle:s.to], g.spare)
	child := len(t.nodes)
	t.nodes[s.node] = node{
		feature: best.feature, bin: uint8(best.bin), threshold: g.cuts[best.feature][best.bin], child: int32(child),
	}
	t.nodes = append(t.nodes, node{}, node{})
	g.pending = append(g.pending,
		span{node: child + 1, from: middle, to: s.to, depth: s.depth + 1},
		span{node: child, from: s.from, to: middle, depth: s.depth + 1})
}

// search draws features without replacement until Features of them that vary in the node were tried, and returns the
// best split of these by Gini impurity, the first of equal ones.
func (g *grower) search(s span) (best split, found bool) {
	wanted := g.o.Features
	for at := 0; at < len(g.feature) && wanted > 0; at++ {
		other := at + g.random.IntN(len(g.feature)-at)
		g.feature[at], g.feature[other] = g.feature[other], g.feature[at]
		f := g.feature[at]
		if !g.sort(g.columns[f], s) {
			continue
		}
		wanted--
		if one, ok := g.sweep(s.to - s.from); ok && (!found || one.score > best.score) {
			one.feature = f
			best, found = one, true
		}
	}
	return best, found
}

// sort puts the rows of a node into lists by bin; it reports false, leaving no list, when all lie in one bin.
func (g *grower) sort(column []uint8, s span) bool {
	for at, r := range g.rows[s.from:s.to] {
		b := column[r]
		g.next[at] = g.head[b]
		g.head[b] = int32(at + 1)
		g.used[b>>6] |= 1 << (b & 63)
	}
	bins := 0
	for _, word := range g.used {
		bins += bits.OnesCount64(word)
	}
	if bins > 1 {
		return true
	}
	for i, word := range g.used {
		if word != 0 {
			g.head[i*64+bits.TrailingZeros64(word)] = 0
			g.used[i] = 0
		}
	}
	return false
}

// sweep walks the bins upwards, empties their lists, and returns the cut with the largest Σ left²/|left| + Σ right²/|right|,
// which is the one with the smallest Gini impurity. The sums change by one row at a time, so the cost does not grow with
// the number of classes. The cut lies halfway between the two bins that it parts.
func (g *grower) sweep(rows int) (best split, found bool) {
	clear(g.left)
	var sizeL, sizeR, squaresL, squaresR float64
	for _, w := range g.total {
		sizeR += w
		squaresR += w * w
	}
	before, countL := -1, 0 // the bin before, and how many rows are in the bins up to it
	for i := range g.used {
		for word := g.used[i]; word != 0; word &= word - 1 {
			b := i*64 + bits.TrailingZeros64(word)
			if before >= 0 && countL >= g.o.MinLeaf && rows-countL >= g.o.MinLeaf {
				if score := squaresL/sizeL + squaresR/sizeR; !found || score > best.score {
					best, found = split{bin: before + (b-before-1)/2, score: score}, true
				}
			}
			for at := g.head[b]; at != 0; at = g.next[at-1] {
				c, w := g.label[at-1], g.heavy[at-1]
				right := g.total[c] - g.left[c]
				squaresR += w * (w - 2*right)
				squaresL += w * (w + 2*g.left[c])
				g.left[c] += w
				sizeL += w
				sizeR -= w
				countL++
			}
			g.head[b] = 0
			before = b
		}
		g.used[i] = 0
	}
	return best, found
}
