package head_test

import (
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"strings"
	"testing"

	"heartmark/assessment/head"
	"heartmark/assessment/model"
)

// grouped draws rows with labels of different rarity, in groups of different size, some texts repeated.
func grouped(n int, seed uint64) []head.Row {
	draw := rand.New(rand.NewPCG(seed, 0))
	rows := make([]head.Row, n)
	for i := range rows {
		label := []string{"common", "common", "common", "common", "middle", "middle", "rare"}[draw.IntN(7)]
		rows[i] = head.Row{Line: i + 1, Text: fmt.Sprintf("text %d", draw.IntN(n*3)), Labels: []string{label}}
		if draw.IntN(3) > 0 {
			rows[i].Group = fmt.Sprint(draw.IntN(n / 4))
		}
	}
	return rows
}

func label(t *testing.T, rows []head.Row, kind model.Kind) head.Targets {
	t.Helper()
	targets, err := head.Label(rows, kind)
	if err != nil {
		t.Fatal(err)
	}
	return targets
}

func TestSplitKeepsGroupsAndShares(t *testing.T) {
	t.Parallel()
	for seed := range uint64(20) {
		rows := grouped(700, seed)
		targets := label(t, rows, "")
		parts, err := head.Split(rows, targets, head.SplitOptions{Seed: seed})
		if err != nil {
			t.Fatal(err)
		}
		side := make(map[int]int)
		all := map[string]int{}
		for p, at := range [][]int{parts.Train, parts.Validation, parts.Test} {
			counts := map[string]float64{}
			for _, i := range at {
				if _, twice := side[i]; twice {
					t.Fatalf("seed %d: row %d stands in two parts", seed, i)
				}
				side[i] = p
				counts[rows[i].Labels[0]]++
				for _, key := range []string{"group " + rows[i].Group, "text " + strings.ToLower(rows[i].Text)} {
					if key == "group " {
						continue
					}
					if other, ok := all[key]; ok && other != p {
						t.Fatalf("seed %d: %s is in parts %d and %d", seed, key, other, p)
					}
					all[key] = p
				}
			}
			whole := map[string]float64{}
			for _, r := range rows {
				whole[r.Labels[0]]++
			}
			for l, n := range whole {
				if share, want := counts[l]/n, head.DefaultShares()[p]; math.Abs(share-want) > 0.05 {
					t.Errorf("seed %d: part %d has %.2f of label %s, want %.2f", seed, p, share, l, want)
				}
			}
		}
		if len(side) != len(rows) {
			t.Fatalf("seed %d: %d of %d rows are in a part", seed, len(side), len(rows))
		}
		again, err := head.Split(rows, targets, head.SplitOptions{Seed: seed})
		if err != nil || !reflect.DeepEqual(again, parts) {
			t.Errorf("seed %d: the second split differs: %v", seed, err)
		}
		other, err := head.Split(rows, targets, head.SplitOptions{Seed: seed + 1000})
		if err != nil || reflect.DeepEqual(other.Test, parts.Test) {
			t.Errorf("seed %d: another seed gives the same test rows: %v", seed, err)
		}
	}
}

func TestSplitFollowsTheFile(t *testing.T) {
	t.Parallel()
	rows := grouped(300, 1)
	for i := range rows {
		rows[i].Group, rows[i].Text = "", fmt.Sprintf("text %d", i)
		rows[i].Part = head.Train
		if i%3 == 0 {
			rows[i].Part = head.Test
		}
	}
	targets := label(t, rows, "")
	parts, err := head.Split(rows, targets, head.SplitOptions{Seed: 3})
	if err != nil {
		t.Fatal(err)
	}
	for _, i := range parts.Test {
		if i%3 != 0 {
			t.Fatalf("row %d was named for train and is in test", i)
		}
	}
	if len(parts.Test) != 100 || len(parts.Validation) == 0 || len(parts.Validation) > 80 {
		t.Errorf("%d rows for test and %d for validation, want 100 and a share of the others", len(parts.Test), len(parts.Validation))
	}
	rows[1].Text = rows[3].Text // named for train, and for test
	if _, err := head.Split(rows, targets, head.SplitOptions{}); !errors.Is(err, head.ErrData) {
		t.Errorf("one text named for two parts: %v, want ErrData", err)
	}
}

func TestSplitRefuses(t *testing.T) {
	t.Parallel()
	rows := grouped(100, 1)
	targets := label(t, rows, "")
	for _, shares := range [][3]float64{{0.5, 0.5, 0}, {0.7, 0.2, 0.2}, {-0.1, 0.6, 0.5}, {math.NaN(), 0.5, 0.5}} {
		if _, err := head.Split(rows, targets, head.SplitOptions{Shares: shares}); !errors.Is(err, head.ErrData) {
			t.Errorf("shares %v: %v, want ErrData", shares, err)
		}
	}
	for i := range rows {
		rows[i].Group = "one"
	}
	if _, err := head.Split(rows, targets, head.SplitOptions{}); !errors.Is(err, head.ErrData) {
		t.Errorf("one group of all: %v, want ErrData", err)
	}
	for i := range rows {
		rows[i].Group, rows[i].Part = "", head.Train
		if rows[i].Labels[0] == "rare" {
			rows[i].Part = head.Test
		}
		rows[i].Text = fmt.Sprintf("text %d", i)
	}
	if _, err := head.Split(rows, targets, head.SplitOptions{}); !errors.Is(err, head.ErrData) || !strings.Contains(err.Error(), "rare") {
		t.Errorf("a label only in test: %v, want ErrData that names it", err)
	}
}

func TestLabel(t *testing.T) {
	t.Parallel()
	many := func(n int, labels ...[]string) []head.Row {
		var rows []head.Row
		for i := range n {
			rows = append(rows, head.Row{Text: fmt.Sprint(i), Labels: labels[i%len(labels)]})
		}
		return rows
	}
	targets := label(t, many(40, []string{"b"}, []string{"a"}), "")
	if targets.Kind != model.Softmax || !reflect.DeepEqual(targets.Labels, []string{"a", "b"}) || targets.Class[0] != 1 || !targets.Has[0][1] {
		t.Errorf("Label = %+v", targets)
	}
	if got := label(t, many(40, []string{"b", "c"}, []string{}, []string{"c"}), ""); got.Kind != model.Sigmoid || got.Class != nil || !reflect.DeepEqual(got.Has[0], []bool{true, true}) {
		t.Errorf("Label = %+v", got)
	}
	cases := []struct {
		name string
		rows []head.Row
		kind model.Kind
	}{
		{"few rows", many(29, []string{"a"}, []string{"b"}), ""},
		{"one label", many(40, []string{"a"}), ""},
		{"no labels", many(40, []string{}), ""},
		{"softmax of many", many(40, []string{"a", "b"}, []string{"a"}), model.Softmax},
		{"always true", many(40, []string{"a", "b"}, []string{"a"}), ""},
		{"value head", many(40, []string{"a"}, []string{"b"}), model.Value},
		{"rare", append(many(40, []string{"a"}, []string{"b"}), head.Row{Text: "x", Labels: []string{"c"}}), ""},
	}
	for _, tc := range cases {
		if _, err := head.Label(tc.rows, tc.kind); !errors.Is(err, head.ErrData) {
			t.Errorf("%s: %v, want ErrData", tc.name, err)
		}
	}
}
