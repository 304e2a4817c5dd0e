package standard_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"testing"

	"heartmark/assessment/standard"
	"heartmark/schemas"
)

// panel has judges whose cuts for proficient are 50, 55, 60, 65 and 70 points in the second round, and twice as far apart in the first.
func panel(change func(*standard.Judgement) bool) []standard.Judgement {
	var out []standard.Judgement
	for round := 1; round <= 2; round++ {
		for judge := range 5 {
			for item := range 40 {
				lean := 0.1 * float64(item%2*2-1) // exchanges differ, their mean does not
				j := standard.Judgement{
					Judge: fmt.Sprint("j", judge), Dimension: schemas.DimensionSocialSkills, Level: "proficient", Round: round,
					Item: fmt.Sprint("x", item), P: 0.6 + 0.05*float64(judge-2)*float64(3-round) + lean,
				}
				if change == nil || change(&j) {
					out = append(out, j)
				}
			}
		}
	}
	return out
}

func TestSet(t *testing.T) {
	t.Parallel()
	groups := []standard.Sorted{
		{Dimension: schemas.DimensionSocialSkills, Level: "proficient", Score: 40},
		{Dimension: schemas.DimensionSocialSkills, Level: "proficient", Score: 55},
		{Dimension: schemas.DimensionSocialSkills, Level: "proficient", Score: 59, Reached: true},
		{Dimension: schemas.DimensionSocialSkills, Level: "proficient", Score: 80, Reached: true},
		{Dimension: schemas.DimensionSocialSkills, Level: "proficient", Score: 70}, // misplaced by any cut that is good for the rest
		{Dimension: schemas.DimensionSelfAwareness, Level: "proficient", Score: 1, Reached: true},
	}
	got, err := standard.Set(panel(nil), groups)
	if err != nil || len(got) != 1 {
		t.Fatalf("Set = %+v, %v", got, err)
	}
	c := got[0]
	// The standard deviation of 50, 55, 60, 65, 70 is 7.9; over the root of five 3.5.
	if c.Cut != 60 || c.SD != 7.9 || c.SE != 3.5 || c.FirstRound != 60 || c.FirstSD != 15.8 || c.Judges != 5 || c.Items != 40 {
		t.Errorf("cut = %+v", c)
	}
	if c.Groups == nil || *c.Groups != 57 || *c.Misplaced != 0.2 || *c.Apart != 0.9 {
		t.Errorf("contrasting groups: %v, %v, %v", c.Groups, c.Misplaced, c.Apart)
	}
	if alone, err := standard.Set(panel(nil), groups[5:]); err != nil || alone[0].Groups != nil {
		t.Errorf("groups of another dimension: %+v, %v", alone, err)
	}
}

func TestSetRefuses(t *testing.T) {
	t.Parallel()
	for name, tc := range map[string]struct {
		panel []standard.Judgement
		want  string
	}{
		"nothing":         {nil, "no judgements"},
		"four judges":     {panel(func(j *standard.Judgement) bool { return j.Judge != "j4" }), "4 judges"},
		"39 exchanges":    {panel(func(j *standard.Judgement) bool { return j.Item != "x39" }), "39 exchanges"},
		"no first round":  {panel(func(j *standard.Judgement) bool { return j.Round == 2 }), "no part in the first round"},
		"no second round": {panel(func(j *standard.Judgement) bool { return j.Round == 1 }), "0 judges"},
		"other exchanges": {panel(func(j *standard.Judgement) bool {
			j.Item += strings.Repeat("y", len(j.Judge+"")*b2i(j.Judge == "j3"))
			return true
		}), "other exchanges"},
		"judged twice":          {append(panel(nil), panel(nil)[0]), "twice"},
		"cuts that do not rise": {append(panel(nil), panel(func(j *standard.Judgement) bool { j.Level = "developing"; return true })...), "begins at"},
	} {
		if _, err := standard.Set(tc.panel, nil); !errors.Is(err, standard.ErrPanel) || !strings.Contains(err.Error(), tc.want) {
			t.Errorf("%s: %v, want ErrPanel with %q", name, err, tc.want)
		}
	}
}

func b2i(b bool) int {
	if b {
		return 1
	}
	return 0
}

func TestRead(t *testing.T) {
	t.Parallel()
	good := `{"judge":"j","dimension":"social_skills","level":"proficient","round":2,"item":"x","p":0.5}`
	if got, err := standard.Read(strings.NewReader(good + "\n\n" + good)); err != nil || len(got) != 2 {
		t.Fatalf("Read = %v, %v", got, err)
	}
	for _, tc := range [][2]string{
		{`{"judge":"","dimension":"social_skills","level":"proficient","round":2,"item":"x","p":0.5}`, "judge"},
		{strings.Replace(good, "social_skills", "overall", 1), "dimension"},
		{strings.Replace(good, `"proficient"`, `"emerging"`, 1), "level"},
		{strings.Replace(good, `"round":2`, `"round":3`, 1), "round"},
		{strings.Replace(good, "0.5", "1.01", 1), "p: 0 to 1"},
		{strings.Replace(good, "0.5", "-0.1", 1), "p: 0 to 1"},
		{"[]", "line 2"},
		{strings.Replace(good, `"p"`, `"q"`, 1), "line 2"},
	} {
		if _, err := standard.Read(strings.NewReader(good + "\n" + tc[0])); !errors.Is(err, standard.ErrLine) || !strings.Contains(err.Error(), tc[1]) || !strings.Contains(err.Error(), "line 2") {
			t.Errorf("Read(%s) = %v, want ErrLine at line 2 with %q", tc[0], err, tc[1])
		}
	}
	if _, err := standard.ReadGroups(strings.NewReader(`{"dimension":"social_skills","level":"proficient","reached":true,"score":101}`)); !errors.Is(err, standard.ErrLine) {
		t.Errorf("a score of 101: %v", err)
	}
}

// FuzzRead: what is read comes back when it is written again.
func FuzzRead(f *testing.F) {
	f.Add([]byte(`{"judge":"j","dimension":"social_skills","level":"proficient","round":2,"item":"x","p":0.5}`))
	f.Add([]byte("{\n[]"))
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := standard.Read(strings.NewReader(string(data)))
		if err != nil {
			return
		}
		var again strings.Builder
		for _, j := range got {
			line, err := json.Marshal(j)
			if err != nil {
				t.Fatal(err)
			}
			again.Write(append(line, '\n'))
		}
		if same, err := standard.Read(strings.NewReader(again.String())); err != nil || len(same) != len(got) {
			t.Errorf("%q read again: %v, %v", again.String(), same, err)
		}
	})
}
