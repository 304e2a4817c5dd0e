package training_test

import (
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"math/rand/v2"
	"reflect"
	"slices"
	"strings"
	"testing"

	"heartmark/assessment"
	"heartmark/assessment/training"
	"heartmark/schemas"
)

// dim is a scored dimension of a test: its score, and the means of its facets by code.
type dim struct {
	score, sem float64
	facets     map[string]float64
	level      string // shown; "" for none
}

// report builds a report over a month; a dimension that is not given has too little evidence.
func report(month int, dims map[schemas.Dimension]dim, scenes map[string]int) assessment.Report {
	r := assessment.Report{
		ID: fmt.Sprint("r", month), Subject: "u7", Model: assessment.ReportModel{ID: "m", SHA256: "aa", Scale: "v0-provisional"},
		Window:     assessment.Window{From: fmt.Sprintf("2026-%02d-01", month), To: fmt.Sprintf("2026-%02d-28", month)},
		Dimensions: map[schemas.Dimension]assessment.DimensionReport{}, Quality: assessment.Quality{Scenes: scenes},
	}
	for _, d := range schemas.Dimensions() {
		x, ok := dims[d]
		if !ok {
			r.Dimensions[d] = assessment.DimensionReport{
				Status:  assessment.StatusInsufficient,
				Reasons: []assessment.Reason{{Code: assessment.ReasonDays, EN: "Days with evidence: 1; 3 are needed.", ZH: "数据来自 1 天，至少需要 3 天。"}, {Code: "certify_days", EN: "For a certificate", ZH: "颁发证书"}},
			}
			continue
		}
		rep := assessment.DimensionReport{Status: assessment.StatusScored, Score: &x.score, SEM: &x.sem, Facets: map[string]assessment.FacetReport{}}
		if x.level != "" {
			rep.Level = &x.level
		}
		for code, mean := range x.facets {
			rep.Facets[code] = assessment.FacetReport{Mean: mean, N: 40, Info: 12}
		}
		r.Dimensions[d] = rep
	}
	return r
}

func modules(p training.Plan) []string {
	out := []string{}
	for _, c := range p.Modules {
		out = append(out, string(c.Module))
	}
	return out
}

const (
	sa = schemas.DimensionSelfAwareness
	sm = schemas.DimensionSelfManagement
	so = schemas.DimensionSocialAwareness
	sk = schemas.DimensionSocialSkills
)

func TestPlan(t *testing.T) {
	t.Parallel()
	b := load(t)
	even := func(score float64, codes ...string) dim {
		f := map[string]float64{}
		for _, c := range codes {
			f[c] = score / 100
		}
		return dim{score: score, sem: 5, facets: f}
	}
	cases := []struct {
		name   string
		dims   map[schemas.Dimension]dim
		scenes map[string]int
		want   []string
		strong int
	}{
		{"nothing scored", nil, nil, []string{}, 0},
		{"share decides between equal gaps", map[schemas.Dimension]dim{so: even(55, "SO1", "SO2", "SO3")}, nil, []string{"so1-read-it", "so2-answer-the-feeling", "so3-do-not-pass"}, 0},
		{"facets above the cut need nothing", map[schemas.Dimension]dim{so: {score: 55, sem: 5, facets: map[string]float64{"SO1": 0.7, "SO2": 0.3, "SO3": 0.62}}}, nil, []string{"so2-answer-the-feeling"}, 0},
		{"the widest gap over error comes first", map[schemas.Dimension]dim{sa: even(58, "SA1"), so: {score: 50, sem: 5, facets: map[string]float64{"SO2": 0.2}}}, nil, []string{"so2-answer-the-feeling", "sa1-name-it"}, 0},
		{"at the top there is no gap", map[schemas.Dimension]dim{sm: {85, 5, map[string]float64{"SM1": 0.85, "SM2": 0.7}, "advanced"}}, nil, []string{}, 1},
		{"a level that the score has not made sure", map[schemas.Dimension]dim{sm: {80, 5, map[string]float64{"SM1": 0.85, "SM2": 0.7}, "proficient"}}, nil, []string{"sm2-useful-turn"}, 0},
		{"a high score without a level", map[schemas.Dimension]dim{sm: even(85, "SM1", "SM2")}, nil, []string{}, 0},
		{"no more than three", map[schemas.Dimension]dim{sa: even(30, "SA1", "SA2"), sm: even(30, "SM1", "SM2"), so: even(30, "SO1"), sk: even(30, "SK1")}, nil, []string{"sa1-name-it", "sm1-pause", "so1-read-it"}, 0},
		// The module for when somebody asks fits none of a player's scenes, the other module of SA1 fits all.
		{"room", map[schemas.Dimension]dim{sk: even(50, "SK1", "SK2"), sa: even(50, "SA1")}, map[string]int{"market": 50}, []string{"sa1-name-it", "sk2-cool-the-room", "sk1-concrete-help"}, 0},
	}
	for _, tc := range cases {
		p := b.Plan(report(1, tc.dims, tc.scenes))
		if got := modules(p); !slices.Equal(got, tc.want) || len(p.Strong) != tc.strong || len(p.Missing) != 4-len(tc.dims) {
			t.Errorf("%s: modules %v, strong %v, missing %d; want %v", tc.name, got, p.Strong, len(p.Missing), tc.want)
		}
		for _, c := range p.Modules {
			if c.By != training.ByRules || c.Figures.Gap <= 0 || c.Why.EN == "" || c.Why.ZH == "" || c.Baseline == nil || c.Since != "2026-01-28" {
				t.Errorf("%s: choice %+v", tc.name, c)
			}
		}
	}
}

func TestPlanFiguresAndWords(t *testing.T) {
	t.Parallel()
	p := load(t).Plan(report(1, map[schemas.Dimension]dim{so: {score: 50, sem: 5, facets: map[string]float64{"SO2": 0.4}}}, map[string]int{"game": 30, "market": 10}))
	c := p.Modules[0]
	sem := 100 * math.Sqrt(0.4*0.6/15)
	want := training.Figures{Gap: (60 - 40) / sem, Share: 0.35, Room: 0.25 + 0.75*0.75}
	want.Priority = want.Gap * want.Share * want.Room
	for name, pair := range map[string][2]float64{
		"gap": {c.Figures.Gap, want.Gap}, "share": {c.Figures.Share, want.Share}, "room": {c.Figures.Room, want.Room}, "priority": {c.Figures.Priority, want.Priority},
	} {
		if math.Abs(pair[0]-pair[1]) > 0.001 {
			t.Errorf("%s = %v, want %v", name, pair[0], pair[1])
		}
	}
	if c.Towards != "proficient" || !strings.Contains(c.Why.EN, "Your game scenes give room") || !strings.Contains(c.Why.ZH, "回应他人的感受") || strings.ContainsAny(c.Why.EN, "0123456789") {
		t.Errorf("choice %+v", c)
	}
	missing := p.Missing[0]
	if missing.Dimension != sa || len(missing.Reasons) != 1 || missing.Advice.EN == "" || missing.Advice.ZH == "" {
		t.Errorf("missing %+v", missing)
	}
	public := p.Public()
	text, err := json.Marshal(public)
	if err != nil || strings.Contains(string(text), `"gap"`) || strings.Contains(string(text), `"baseline"`) || p.Modules[0].Figures == nil {
		t.Errorf("public form %s, %v", text, err)
	}
}

// TestPlanProperties holds on random reports: the same again gives the same, at most three modules of different facets in
// falling priority, only facets with evidence and a gap, and nothing about a person moves it.
func TestPlanProperties(t *testing.T) {
	t.Parallel()
	b, random := load(t), rand.New(rand.NewPCG(7, 7))
	for range 400 {
		r := randomReport(random)
		p := b.Plan(r)
		if again := b.Plan(r); !reflect.DeepEqual(p, again) {
			t.Fatalf("two plans of one report: %+v, %+v", p, again)
		}
		seen := map[string]bool{}
		for i, c := range p.Modules {
			f := r.Dimensions[c.Dimension].Facets[c.Facet]
			if i >= 3 || seen[c.Facet] || !f.Counted() || c.Figures.Gap <= 0 || i > 0 && c.Figures.Priority > p.Modules[i-1].Figures.Priority {
				t.Fatalf("module %d of %+v", i, p.Modules)
			}
			seen[c.Facet] = true
		}
		other := r
		other.Subject, other.Platforms = "somebody-else", []string{"elsewhere"}
		other.Quality.Languages = map[string]float64{"zh": 1}
		if !slices.Equal(modules(b.Plan(other)), modules(p)) {
			t.Fatal("the plan depends on who it is for")
		}
	}
}

func randomReport(random *rand.Rand) assessment.Report {
	dims := map[schemas.Dimension]dim{}
	for _, d := range schemas.Dimensions() {
		if random.IntN(4) == 0 {
			continue
		}
		facets := map[string]float64{}
		for _, f := range assessment.Facets(d) {
			if random.IntN(3) > 0 {
				facets[f.Code] = math.Round(100*random.Float64()) / 100
			}
		}
		dims[d] = dim{score: 100 * random.Float64(), sem: 3 + 5*random.Float64(), facets: facets}
	}
	scenes := map[string]int{}
	for _, s := range training.Scenes() {
		if random.IntN(2) == 0 {
			scenes[s] = random.IntN(50)
		}
	}
	return report(1, dims, scenes)
}

func TestCompare(t *testing.T) {
	t.Parallel()
	figure := func(score, sem float64, month int, scale string) *training.Figure {
		return &training.Figure{Score: score, SEM: sem, Scale: scale, Win: assessment.Window{From: fmt.Sprintf("2026-%02d-01", month), To: fmt.Sprintf("2026-%02d-28", month)}}
	}
	base := figure(50, 5, 1, "v1")
	cases := []struct {
		name string
		from *training.Figure
		to   *training.Figure
		want training.Verdict
	}{
		{"better", base, figure(62, 5, 2, "v1"), training.Improved}, // 12 / 7.07 = 1.70
		{"just not", base, figure(61.5, 5, 2, "v1"), training.NoChange},
		{"worse", base, figure(38, 5, 2, "v1"), training.Declined},
		{"wider error", base, figure(62, 6, 2, "v1"), training.NoChange}, // 12 / 7.81 = 1.54
		{"another scale", base, figure(90, 5, 2, "v2"), training.Incomparable},
		{"windows overlap", base, figure(90, 5, 1, "v1"), training.Incomparable},
		{"missing", base, nil, training.NotEnough},
		{"missing before", nil, base, training.NotEnough},
	}
	for _, tc := range cases {
		got := training.Compare(so, tc.from, tc.to)
		if got.Verdict != tc.want || got.Text.EN == "" || got.Text.ZH == "" {
			t.Errorf("%s: %+v, want %s", tc.name, got, tc.want)
		}
	}
}

func TestFollow(t *testing.T) {
	t.Parallel()
	at := func(month int, score float64) assessment.Report {
		return report(month, map[schemas.Dimension]dim{so: {score: score, sem: 5, facets: map[string]float64{"SO1": score / 100}}}, nil)
	}
	p, err := training.Follow([]assessment.Report{at(3, 64), at(1, 45), at(2, 50)})
	if err != nil || len(p.Windows) != 3 || p.Windows[0].From != "2026-01-01" || len(p.Steps) != 2 || p.Subject != "u7" {
		t.Fatalf("Follow = %+v, %v", p, err)
	}
	verdicts := []training.Verdict{p.Steps[0][2].Verdict, p.Steps[1][2].Verdict, p.Overall[2].Verdict, p.Overall[0].Verdict}
	if want := []training.Verdict{training.NoChange, training.Improved, training.Improved, training.NotEnough}; !slices.Equal(verdicts, want) {
		t.Errorf("verdicts %v, want %v", verdicts, want)
	}
	other := at(4, 50)
	other.Subject = "u8"
	if _, err := training.Follow([]assessment.Report{at(1, 50), other}); !errors.Is(err, training.ErrSubjects) {
		t.Errorf("two subjects: %v", err)
	}
	if _, err := training.Follow(nil); !errors.Is(err, training.ErrNoReports) {
		t.Errorf("no report: %v", err)
	}
	if one, err := training.Follow([]assessment.Report{at(1, 50)}); err != nil || len(one.Steps)+len(one.Overall) != 0 {
		t.Errorf("one report: %+v, %v", one, err)
	}
}

func TestReplan(t *testing.T) {
	t.Parallel()
	b := load(t)
	at := func(month int, score float64) assessment.Report {
		return report(month, map[schemas.Dimension]dim{so: {score: score, sem: 5, facets: map[string]float64{"SO1": score / 100}}}, nil)
	}
	over := func(reports ...assessment.Report) training.Plan {
		t.Helper()
		p, err := b.PlanOver(reports)
		if err != nil {
			t.Fatal(err)
		}
		return p
	}
	if p := over(at(1, 45), at(2, 47)); modules(p)[0] != "so1-read-it" || p.Modules[0].Idle != 1 || p.Modules[0].Since != "2026-01-28" || len(p.Retired) != 0 {
		t.Errorf("one idle window: %+v", p)
	}
	p := over(at(1, 45), at(2, 47), at(3, 44))
	if modules(p)[0] != "so1-between-lines" || len(p.Retired) != 1 || p.Retired[0].Module != "so1-read-it" || p.Retired[0].For != "so1-between-lines" || p.Modules[0].Idle != 0 {
		t.Errorf("two idle windows: %+v", p)
	}
	if p := over(at(1, 45), at(2, 47), at(3, 44), at(4, 45), at(5, 44)); len(modules(p)) != 0 || len(p.Retired) != 2 || p.Retired[1].For != "" || p.Retired[1].Why.ZH == "" {
		t.Errorf("both modules without effect: %+v", p)
	}
	if p := over(at(1, 40), at(2, 42), at(3, 54), at(4, 55)); modules(p)[0] != "so1-read-it" || p.Modules[0].Idle != 1 || p.Modules[0].Baseline.Score != 54 {
		t.Errorf("an improvement starts the count anew: %+v", p.Modules)
	}
	thin := report(3, nil, nil)
	if p := over(at(1, 45), at(2, 47), thin, thin); modules(p)[0] != "so1-read-it" || p.Modules[0].Idle != 1 {
		t.Errorf("windows without score count for nothing: %+v", p.Modules)
	}
	if p := over(at(1, 45), at(2, 90)); len(p.Modules) != 0 {
		t.Errorf("at the top: %+v", p)
	}
	same := over(at(1, 45), at(2, 47))
	if again, err := b.Replan(same, at(2, 47)); err != nil || !reflect.DeepEqual(again, same) {
		t.Errorf("a report twice: %+v, %v", again, err)
	}
	other := at(3, 50)
	other.Subject = "u8"
	if _, err := b.Replan(same, other); !errors.Is(err, training.ErrSubjects) {
		t.Errorf("another subject: %v", err)
	}
}

func ExampleBank_Plan() {
	bank, err := training.Load()
	if err != nil {
		fmt.Println(err)
		return
	}
	score, sem := 52.0, 5.0
	plan := bank.Plan(assessment.Report{Subject: "u7", Dimensions: map[schemas.Dimension]assessment.DimensionReport{
		schemas.DimensionSocialAwareness: {
			Status: assessment.StatusScored, Score: &score, SEM: &sem,
			Facets: map[string]assessment.FacetReport{"SO2": {Mean: 0.45, N: 40, Info: 12}},
		},
	}})
	for _, c := range plan.Modules {
		m, _ := bank.Module(c.Module)
		fmt.Println(c.Facet, m.Title.In("en"), "/", m.Title.In("zh"))
	}
	// Output: SO2 Answer the feeling first / 先接住感受
}
