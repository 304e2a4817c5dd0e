package head

import (
	"cmp"
	"fmt"
	"math"
	"math/rand/v2"
	"slices"

	"heartmark/assessment/model"
)

// SplitOptions tell how rows are parted.
type SplitOptions struct {
	// Shares of train, validation and test; they sum to 1. Zero takes 0.7, 0.15, 0.15.
	Shares [3]float64
	Seed   uint64
}

// DefaultShares are the usual shares of train, validation and test.
func DefaultShares() [3]float64 { return [3]float64{0.7, 0.15, 0.15} }

// Parts are places of rows, ascending, each in exactly one part.
type Parts struct {
	Train, Validation, Test []int
	Groups                  int // units that were kept together, single rows included
}

const partCount = 3

func partNames() [partCount]Part { return [partCount]Part{Train, Validation, Test} }

// unit is what stays on one side: the rows of a group, and rows of one content, which join groups.
type unit struct {
	rows    []int
	counts  []float64 // rows by label
	rarest  float64   // rows of its rarest label in the whole file
	allowed [partCount]bool
}

// Split parts rows so that each label has about the same shares everywhere, that no group and no repeated text (with its
// context; case and spaces do not count) stands on two sides, and that rows whose file names their part stay there. Where
// all rows name a part and none is for validation, validation is taken from train. The same rows and seed give the same
// parts. The error wraps ErrData: rows of one group named for two parts, or a part or a label's training rows left empty.
func Split(rows []Row, t Targets, o SplitOptions) (Parts, error) {
	if o.Shares == [3]float64{} {
		o.Shares = DefaultShares()
	}
	sum := 0.0
	for _, s := range o.Shares {
		if !(s > 0 && s < 1) {
			return Parts{}, fmt.Errorf("%w: shares %v: each must lie between 0 and 1", ErrData, o.Shares)
		}
		sum += s
	}
	if sum < 0.999 || sum > 1.001 {
		return Parts{}, fmt.Errorf("%w: shares %v do not sum to 1", ErrData, o.Shares)
	}
	units, err := unite(rows, t)
	if err != nil {
		return Parts{}, err
	}
	shuffle(units, o.Seed)
	var out [partCount][]int
	filled := fill(units, t, o.Shares)
	for i, u := range units {
		out[filled[i]] = append(out[filled[i]], u.rows...)
	}
	for _, p := range out {
		slices.Sort(p)
	}
	parts := Parts{Train: out[0], Validation: out[1], Test: out[2], Groups: len(units)}
	return parts, parts.check(t)
}

// unite joins rows by group and by content.
func unite(rows []Row, t Targets) ([]unit, error) {
	parent := make([]int, len(rows))
	for i := range parent {
		parent[i] = i
	}
	root := func(i int) int {
		for parent[i] != i {
			parent[i] = parent[parent[i]]
			i = parent[i]
		}
		return i
	}
	first := make(map[string]int)
	join := func(key string, i int) {
		if j, ok := first[key]; ok {
			// The lower row leads, so that the order of units follows the file.
			a, b := root(i), root(j)
			parent[max(a, b)] = min(a, b)
			return
		}
		first[key] = i
	}
	for i, r := range rows {
		if r.Group != "" {
			join("g"+r.Group, i)
		}
		join("t"+r.content(), i)
	}
	total := make([]float64, len(t.Labels))
	at := make(map[int]int)
	var units []unit
	for i := range rows {
		n, ok := at[root(i)]
		if !ok {
			n = len(units)
			at[root(i)] = n
			units = append(units, unit{counts: make([]float64, len(t.Labels))})
		}
		u := &units[n]
		u.rows = append(u.rows, i)
		for k, has := range t.Has[i] {
			if has {
				u.counts[k]++
				total[k]++
			}
		}
	}
	for n := range units {
		units[n].rarest = float64(len(rows))
		for k, c := range units[n].counts {
			if c > 0 {
				units[n].rarest = min(units[n].rarest, total[k])
			}
		}
	}
	return units, allow(units, rows)
}

// allow says which parts each unit may go to.
func allow(units []unit, rows []Row) error {
	named := make(map[Part]int)
	for _, r := range rows {
		named[r.Part]++
	}
	lent := named[""] == 0 && named[Validation] == 0 // the file parts train and test only
	for n := range units {
		u := &units[n]
		want := Part("")
		for _, i := range u.rows {
			p := rows[i].Part
			if p != "" && want != "" && p != want {
				return fmt.Errorf("%w: rows of lines %d and %d are of one group or the same text, and named for %s and %s",
					ErrData, rows[u.rows[0]].Line, rows[i].Line, want, p)
			}
			want = cmp.Or(want, p)
		}
		for k, p := range partNames() {
			u.allowed[k] = want == "" || want == p || lent && want == Train && p == Validation
		}
	}
	return nil
}

// splitStream is the second half of the generator's seed.
const splitStream = 0x73706c6974

// shuffle puts the units with the rarest labels first, then the larger ones, equals in an order drawn by the seed.
func shuffle(units []unit, seed uint64) {
	draw := rand.New(rand.NewPCG(seed, splitStream))
	draw.Shuffle(len(units), func(i, j int) { units[i], units[j] = units[j], units[i] })
	slices.SortStableFunc(units, func(a, b unit) int {
		return cmp.Or(cmp.Compare(a.rarest, b.rarest), cmp.Compare(len(b.rows), len(a.rows)))
	})
}

// fill gives each unit to the allowed part whose share of rows and of the unit's labels is filled least: where it least
// raises the squared distance from the wanted counts.
func fill(units []unit, t Targets, shares [3]float64) []int {
	labels := len(t.Labels)
	want := make([]float64, labels+1) // rows by label, and all rows
	for _, u := range units {
		for k, c := range u.counts {
			want[k] += c
		}
		want[labels] += float64(len(u.rows))
	}
	var have [partCount][]float64
	for p := range have {
		have[p] = make([]float64, labels+1)
	}
	out := make([]int, len(units))
	for i, u := range units {
		best, least := 0, math.Inf(1)
		for p := range have {
			if !u.allowed[p] {
				continue
			}
			rise := 0.0
			for k := range want {
				c := float64(len(u.rows))
				if k < labels {
					c = u.counts[k]
				}
				if goal := shares[p] * want[k]; c > 0 {
					gap := have[p][k] - goal
					rise += ((gap+c)*(gap+c) - gap*gap) / max(goal, 1e-9)
				}
			}
			if rise < least {
				best, least = p, rise
			}
		}
		out[i] = best
		for k, c := range u.counts {
			have[best][k] += c
		}
		have[best][labels] += float64(len(u.rows))
	}
	return out
}

func (p Parts) check(t Targets) error {
	for _, part := range []struct {
		name Part
		at   []int
	}{{Train, p.Train}, {Validation, p.Validation}, {Test, p.Test}} {
		if len(part.at) == 0 {
			return fmt.Errorf("%w: nothing is left for %s; give more rows or smaller groups", ErrData, part.name)
		}
	}
	for label, n := range t.counts(p.Train) {
		if n == 0 || t.Kind == model.Sigmoid && n == len(p.Train) {
			return fmt.Errorf("%w: %d of %d training rows have label %q; its rows lie in too few groups", ErrData, n, len(p.Train), label)
		}
	}
	return nil
}
