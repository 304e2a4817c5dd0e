package assessment

import (
	"slices"
	"strings"
	"unicode"
)

// copyIndex finds near copies of a person's earlier messages: shingle sets with a Jaccard similarity of 0.8 or more.
// Candidates come from MinHash bands, so that a million messages stay cheap.
type copyIndex struct {
	bands  [copyBands]map[uint64][]int
	groups []copyGroup
}

// copyGroup is a message and the near copies of it seen so far.
type copyGroup struct {
	shingles []uint64 // sorted, each once
	copies   int
}

const (
	copyBands      = 10
	copyRows       = 2
	copyShingle    = 4 // characters
	copySimilarity = 0.8
	copyCandidates = 50
)

func newCopyIndex() *copyIndex {
	c := &copyIndex{}
	for i := range c.bands {
		c.bands[i] = map[uint64][]int{}
	}
	return c
}

// add returns 0 for a new text and k for the k-th near copy of an earlier one.
func (c *copyIndex) add(text string) int {
	shingles := shinglesOf(text)
	var keys [copyBands]uint64
	for b := range keys {
		keys[b] = bandKey(shingles, b)
	}
	best := -1
	tried := map[int]bool{}
	for b, key := range keys {
		for _, g := range c.bands[b][key] {
			if tried[g] || len(tried) >= copyCandidates {
				continue
			}
			tried[g] = true
			if jaccard(shingles, c.groups[g].shingles) >= copySimilarity && (best < 0 || g < best) {
				best = g
			}
		}
	}
	if best >= 0 {
		c.groups[best].copies++
		return c.groups[best].copies
	}
	c.groups = append(c.groups, copyGroup{shingles: shingles})
	for b, key := range keys {
		c.bands[b][key] = append(c.bands[b][key], len(c.groups)-1)
	}
	return 0
}

// shinglesOf hashes the overlapping runs of letters and digits, without case and punctuation.
func shinglesOf(text string) []uint64 {
	var runes []rune
	for _, r := range strings.ToLower(text) {
		if unicode.IsLetter(r) || unicode.IsDigit(r) {
			runes = append(runes, r)
		}
	}
	if len(runes) <= copyShingle {
		return []uint64{hashRunes(runes)}
	}
	set := make([]uint64, 0, len(runes)-copyShingle+1)
	for i := 0; i+copyShingle <= len(runes); i++ {
		set = append(set, hashRunes(runes[i:i+copyShingle]))
	}
	slices.Sort(set)
	return slices.Compact(set)
}

// hashRunes is FNV-1a over the code points: the same on every run.
func hashRunes(runes []rune) uint64 {
	h := uint64(14695981039346656037)
	for _, r := range runes {
		h = (h ^ uint64(r)) * 1099511628211
	}
	return mix(h)
}

// mix is the finaliser of SplitMix64.
func mix(x uint64) uint64 {
	x = (x ^ x>>30) * 0xbf58476d1ce4e5b9
	x = (x ^ x>>27) * 0x94d049bb133111eb
	return x ^ x>>31
}

func bandKey(shingles []uint64, band int) uint64 {
	key := uint64(band)
	for row := range copyRows {
		low := ^uint64(0)
		seed := mix(uint64(band*copyRows+row) + 1)
		for _, s := range shingles {
			low = min(low, mix(s^seed))
		}
		key = mix(key ^ low)
	}
	return key
}

func jaccard(a, b []uint64) float64 {
	both := 0
	for i, j := 0, 0; i < len(a) && j < len(b); {
		switch {
		case a[i] == b[j]:
			both++
			i++
			j++
		case a[i] < b[j]:
			i++
		default:
			j++
		}
	}
	return float64(both) / float64(len(a)+len(b)-both)
}
