package rdfc

import (
	"bytes"
	"crypto/sha512"
	"encoding/hex"
	"fmt"
	"slices"
)

// neighbour is a blank node that shares a statement with another, and the hash of how (RDFC-1.0, 4.7).
type neighbour struct {
	hash []byte // hex
	node int32
}

func (c *canonicalizer) spendCall() error {
	if c.budget.Calls--; c.budget.Calls < 0 {
		return fmt.Errorf("%w: too many ways to label blank nodes", ErrBudget)
	}
	return nil
}

// nDegree hashes how node n is connected (4.8) and returns, in hex, the hash, and the labels that the best order gave.
func (c *canonicalizer) nDegree(n int32, labels issuer) ([]byte, issuer, error) {
	if err := c.spendCall(); err != nil {
		return nil, issuer{}, err
	}
	neighbours, err := c.neighbours(n, &labels)
	if err != nil {
		return nil, issuer{}, err
	}
	var data []byte
	var group []int32
	for start := 0; start < len(neighbours); {
		group = group[:0]
		end := start
		for ; end < len(neighbours) && bytes.Equal(neighbours[start].hash, neighbours[end].hash); end++ {
			group = append(group, neighbours[end].node)
		}
		path, best, err := c.bestOrder(group, labels)
		if err != nil {
			return nil, issuer{}, err
		}
		data = append(data, neighbours[start].hash...)
		data = append(data, path...)
		labels = best
		start = end
	}
	var sum [sha512.Size384]byte
	return hex.AppendEncode(nil, c.hash(sum[:0], data)), labels, nil
}

// neighbours lists the blank nodes beside n, sorted by hash; one that shares several statements is there several times.
func (c *canonicalizer) neighbours(n int32, labels *issuer) ([]neighbour, error) {
	var list []neighbour
	for _, i := range c.of(n) {
		st := &c.list[i]
		for _, place := range [...]struct {
			node     int32
			position byte
		}{{st.subject, 's'}, {st.object, 'o'}, {st.graph, 'g'}} {
			if place.node < 0 || place.node == n {
				continue
			}
			if c.budget.Hashes--; c.budget.Hashes < 0 {
				return nil, fmt.Errorf("%w: too many neighbours of blank nodes", ErrBudget)
			}
			list = append(list, neighbour{hash: c.related(place.node, st, labels, place.position), node: place.node})
		}
	}
	slices.SortStableFunc(list, func(a, b neighbour) int { return bytes.Compare(a.hash, b.hash) })
	return list, nil
}

func (c *canonicalizer) related(n int32, st *statement, labels *issuer, position byte) []byte {
	b := append(c.scratch[:0], position)
	if position != 'g' {
		b = append(b, '<')
		b = append(b, st.predicate...)
		b = append(b, '>')
	}
	if c.canonical.label[n] != 0 || labels.label[n] != 0 {
		b = append(b, '_', ':')
		b = c.appendLabel(b, n, labels)
	} else {
		b = append(b, c.digest(n)...)
	}
	c.scratch = b
	var sum [sha512.Size384]byte
	return hex.AppendEncode(nil, c.hash(sum[:0], b))
}

// appendLabel writes the canonical label of n or, without one, the temporary one, which must be there.
func (c *canonicalizer) appendLabel(b []byte, n int32, labels *issuer) []byte {
	if c.canonical.label[n] != 0 {
		return c.appendCanonical(b, n)
	}
	return appendNumber(append(b, 'b'), labels.label[n]-1)
}

// bestOrder tries all orders of group and returns the least path with the labels it gave (4.8.3, step 5).
func (c *canonicalizer) bestOrder(group []int32, labels issuer) ([]byte, issuer, error) {
	var best []byte
	var bestLabels issuer
	order := slices.Clone(group)
	slices.Sort(order)
	for more := true; more; more = nextOrder(order) {
		if err := c.spendCall(); err != nil {
			return nil, issuer{}, err
		}
		path, issued, err := c.path(order, labels.clone(), best)
		if err != nil {
			return nil, issuer{}, err
		}
		if path != nil && (best == nil || bytes.Compare(path, best) < 0) {
			best, bestLabels = path, issued
		}
	}
	return best, bestLabels, nil
}

// path follows one order. It returns nil as soon as the path can no longer be less than best.
func (c *canonicalizer) path(order []int32, labels issuer, best []byte) ([]byte, issuer, error) {
	path := make([]byte, 0, 128)
	var unlabelled []int32
	for _, n := range order {
		if c.canonical.label[n] == 0 && labels.label[n] == 0 {
			unlabelled = append(unlabelled, n)
			labels.issue(n)
		}
		path = append(path, '_', ':')
		path = c.appendLabel(path, n, &labels)
		if worse(path, best) {
			return nil, issuer{}, nil
		}
	}
	for _, n := range unlabelled {
		hash, issued, err := c.nDegree(n, labels)
		if err != nil {
			return nil, issuer{}, err
		}
		path = append(path, '_', ':')
		path = c.appendLabel(path, n, &labels)
		path = append(path, '<')
		path = append(path, hash...)
		path = append(path, '>')
		labels = issued
		if worse(path, best) {
			return nil, issuer{}, nil
		}
	}
	return path, labels, nil
}

func worse(path, best []byte) bool {
	return best != nil && len(path) >= len(best) && bytes.Compare(path, best) > 0
}

// nextOrder turns order into the next one in lexical order and reports whether there was one. Equal entries, of nodes
// that share several like statements, are not told apart: their orders give the same path.
func nextOrder(order []int32) bool {
	i := len(order) - 2
	for i >= 0 && order[i] >= order[i+1] {
		i--
	}
	if i < 0 {
		return false
	}
	j := len(order) - 1
	for order[j] <= order[i] {
		j--
	}
	order[i], order[j] = order[j], order[i]
	slices.Reverse(order[i+1:])
	return true
}
