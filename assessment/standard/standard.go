// Package standard turns the judgements of a panel into the cuts between levels, with their error (assessment design 7): a modified
// Angoff procedure in two rounds, checked by contrasting groups.
//
// For each of 40 borderline exchanges of a dimension, at least five judges say how probable it is that a person who has just reached a
// level would do the better thing. A judge's cut is the mean of these probabilities, in points; the panel's cut is the mean over judges
// of the second round, and its standard error the judges' standard deviation over the root of their number (Cizek and Bunch 2007,
// "Standard Setting", ch. 6). Contrasting groups are scores of people whom judges have sorted without seeing the scores: the cut that
// misplaces the fewest should lie near.
//
// Start at Read and Set. The package changes no scale: cuts are part of a release, and changing them makes a new scale version.
package standard

import (
	"bufio"
	"bytes"
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"heartmark/schemas"
)

// Demands on a panel.
const (
	MinJudges = 5
	MinItems  = 40
	// rounds of judging; the last one counts.
	rounds = 2
)

// Sentinels of this package.
var (
	// ErrLine: a line is no judgement. The error names it.
	ErrLine = errors.New("not a line of a panel file")
	// ErrPanel: the panel is too small, incomplete, or its cuts do not rise.
	ErrPanel = errors.New("panel does not carry cuts")
)

// Judgement is one line of a panel file: how probable a judge holds it that a person at the border does the better thing.
type Judgement struct {
	Judge     string            `json:"judge"`
	Dimension schemas.Dimension `json:"dimension"`
	Level     string            `json:"level"` // developing, proficient, advanced
	Round     int               `json:"round"` // 1 or 2
	Item      string            `json:"item"`
	P         float64           `json:"p"`
}

// Sorted is one line of a groups file: the score of a person whom judges placed below, or at and above, a level.
type Sorted struct {
	Dimension schemas.Dimension `json:"dimension"`
	Level     string            `json:"level"`
	Reached   bool              `json:"reached"`
	Score     float64           `json:"score"` // 0 to 100
}

// Cut is where a level begins in one dimension, in points.
type Cut struct {
	Dimension schemas.Dimension `json:"dimension"`
	Level     string            `json:"level"`
	Cut       float64           `json:"cut"`
	SE        float64           `json:"se"`
	Judges    int               `json:"judges"`
	Items     int               `json:"items"`
	// FirstRound and FirstSD are cut and spread of judges before they talked; SD is the spread after.
	FirstRound float64 `json:"first_round"`
	FirstSD    float64 `json:"first_sd"`
	SD         float64 `json:"sd"`
	// Groups is the cut of the contrasting groups, nil without any; Apart how many standard errors lie between.
	Groups    *float64 `json:"groups,omitempty"`
	Misplaced *float64 `json:"misplaced,omitempty"` // share of people whom Groups puts on the wrong side
	Apart     *float64 `json:"apart,omitempty"`
}

// levels that have a cut, in order.
func levels() []string {
	return []string{schemas.LevelDeveloping.Code(), schemas.LevelProficient.Code(), schemas.LevelAdvanced.Code()}
}

// Read reads a panel file, JSON Lines. Every faulty line is named.
func Read(r io.Reader) ([]Judgement, error) {
	return lines(r, func(j Judgement) string {
		switch {
		case j.Judge == "" || j.Item == "":
			return "judge and item"
		case !slices.Contains(schemas.Dimensions(), j.Dimension):
			return "dimension: one of the four"
		case !slices.Contains(levels(), j.Level):
			return "level: " + strings.Join(levels(), ", ")
		case j.Round < 1 || j.Round > rounds:
			return "round: 1 or 2"
		case !(j.P >= 0 && j.P <= 1):
			return "p: 0 to 1"
		}
		return ""
	})
}

// ReadGroups reads a groups file, JSON Lines.
func ReadGroups(r io.Reader) ([]Sorted, error) {
	return lines(r, func(s Sorted) string {
		switch {
		case !slices.Contains(schemas.Dimensions(), s.Dimension):
			return "dimension: one of the four"
		case !slices.Contains(levels(), s.Level):
			return "level: " + strings.Join(levels(), ", ")
		case !(s.Score >= 0 && s.Score <= 100):
			return "score: 0 to 100"
		}
		return ""
	})
}

// maxLine bounds a line.
const maxLine = 64 << 10

func lines[T any](r io.Reader, fault func(T) string) ([]T, error) {
	var out []T
	var faults []error
	scanner := bufio.NewScanner(r)
	scanner.Buffer(nil, maxLine)
	for n := 1; scanner.Scan(); n++ {
		line := bytes.TrimSpace(scanner.Bytes())
		if len(line) == 0 {
			continue
		}
		var v T
		if err := schemas.Decode(line, &v); err != nil {
			faults = append(faults, fmt.Errorf("line %d: %w: %w", n, ErrLine, err))
		} else if want := fault(v); want != "" {
			faults = append(faults, fmt.Errorf("line %d: expected %s: %w", n, want, ErrLine))
		}
		out = append(out, v)
	}
	if err := scanner.Err(); err != nil {
		return nil, fmt.Errorf("read: %w", err)
	}
	return out, errors.Join(faults...)
}

// place is a dimension and a level.
type place struct {
	dimension schemas.Dimension
	level     string
}

// table is what judges said of one place in one round: by judge and item.
type table map[string]map[string]float64

// Set computes the cuts, by dimension and level. groups may be nil. ErrPanel names everything that is missing.
func Set(panel []Judgement, groups []Sorted) ([]Cut, error) {
	said := map[place][rounds]table{}
	var faults []error
	for _, j := range panel {
		at := place{j.Dimension, j.Level}
		tables := said[at]
		if tables[j.Round-1] == nil {
			tables[j.Round-1] = table{}
		}
		if tables[j.Round-1][j.Judge] == nil {
			tables[j.Round-1][j.Judge] = map[string]float64{}
		}
		if _, twice := tables[j.Round-1][j.Judge][j.Item]; twice {
			faults = append(faults, fmt.Errorf("%s, %s: %s judged %s twice in round %d: %w", j.Dimension, j.Level, j.Judge, j.Item, j.Round, ErrPanel))
		}
		tables[j.Round-1][j.Judge][j.Item] = j.P
		said[at] = tables
	}
	if len(said) == 0 {
		return nil, fmt.Errorf("no judgements: %w", ErrPanel)
	}
	var out []Cut
	for _, at := range slices.SortedFunc(maps.Keys(said), order) {
		c, err := cutOf(at, said[at])
		faults = append(faults, err)
		c.against(groups)
		out = append(out, c)
	}
	for i := 1; i < len(out); i++ {
		if a, b := out[i-1], out[i]; a.Dimension == b.Dimension && a.Cut >= b.Cut {
			faults = append(faults, fmt.Errorf("%s: %s begins at %.1f, %s at %.1f: %w", a.Dimension, a.Level, a.Cut, b.Level, b.Cut, ErrPanel))
		}
	}
	return out, errors.Join(faults...)
}

func order(a, b place) int {
	return cmp.Or(slices.Index(schemas.Dimensions(), a.dimension)-slices.Index(schemas.Dimensions(), b.dimension),
		slices.Index(levels(), a.level)-slices.Index(levels(), b.level))
}

func cutOf(at place, tables [rounds]table) (Cut, error) {
	first, last := tables[0], tables[rounds-1]
	c := Cut{Dimension: at.dimension, Level: at.level, Judges: len(last)}
	fault := func(format string, args ...any) (Cut, error) {
		return c, fmt.Errorf("%s, %s: %s: %w", at.dimension, at.level, fmt.Sprintf(format, args...), ErrPanel)
	}
	if len(last) < MinJudges {
		return fault("%d judges in the last round, %d are needed", len(last), MinJudges)
	}
	var items []string
	for _, judge := range slices.Sorted(maps.Keys(last)) {
		mine := slices.Sorted(maps.Keys(last[judge]))
		if items == nil {
			items = mine
		}
		switch {
		case len(mine) < MinItems:
			return fault("%s judged %d exchanges, %d are needed", judge, len(mine), MinItems)
		case !slices.Equal(items, mine):
			return fault("%s judged other exchanges than the rest", judge)
		case first[judge] == nil:
			return fault("%s took no part in the first round", judge)
		}
	}
	c.Items = len(items)
	var sd float64
	c.Cut, sd = spread(last)
	c.SE, c.SD = round1(sd/math.Sqrt(float64(len(last)))), round1(sd)
	c.FirstRound, c.FirstSD = spread(first)
	c.Cut, c.FirstRound, c.FirstSD = round1(c.Cut), round1(c.FirstRound), round1(c.FirstSD)
	return c, nil
}

// spread is the mean of the judges' cuts in points, and their standard deviation.
func spread(t table) (mean, sd float64) {
	var each []float64
	for _, judge := range slices.Sorted(maps.Keys(t)) {
		sum := 0.0
		for _, item := range slices.Sorted(maps.Keys(t[judge])) {
			sum += t[judge][item]
		}
		each = append(each, 100*sum/float64(len(t[judge])))
		mean += each[len(each)-1]
	}
	mean /= float64(len(each))
	for _, v := range each {
		sd += (v - mean) * (v - mean)
	}
	if len(each) < 2 {
		return mean, 0
	}
	return mean, math.Sqrt(sd / float64(len(each)-1))
}

// against holds the cut against the contrasting groups: the score that misplaces the fewest people, the middle of the best range.
func (c *Cut) against(groups []Sorted) {
	var mine []Sorted
	reached := 0
	for _, s := range groups {
		if s.Dimension == c.Dimension && s.Level == c.Level {
			mine = append(mine, s)
			if s.Reached {
				reached++
			}
		}
	}
	if reached == 0 || reached == len(mine) {
		return
	}
	slices.SortFunc(mine, func(a, b Sorted) int { return cmp.Compare(a.Score, b.Score) })
	// With the cut below the first score everybody counts as having reached the level: those who have not are misplaced.
	wrong := len(mine) - reached
	best, low, high := wrong, 0.0, mine[0].Score
	for i, s := range mine {
		if s.Reached {
			wrong++
		} else {
			wrong--
		}
		next := 100.0
		if i+1 < len(mine) {
			if next = mine[i+1].Score; next == s.Score {
				continue // no cut lies between equal scores
			}
		}
		if wrong < best {
			best, low, high = wrong, s.Score, next
		}
	}
	cut, misplaced := round1((low+high)/2), math.Round(1000*float64(best)/float64(len(mine)))/1000
	c.Groups, c.Misplaced = &cut, &misplaced
	if c.SE > 0 {
		apart := round1(math.Abs(cut-c.Cut) / c.SE)
		c.Apart = &apart
	}
}

func round1(v float64) float64 { return math.Round(10*v) / 10 }
