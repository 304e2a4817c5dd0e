package assessment_test

import (
	"math"
	"math/rand/v2"
	"sort"
	"testing"

	"heartmark/assessment"
	"heartmark/schemas"
)

// simInfo is a model whose heads are about 85 % right: s1 0.79, s0 0.21.
func simInfo() assessment.ModelInfo {
	info := assessment.ModelInfo{ID: "sim", Labels: assessment.KnownLabels(), ErrorRates: map[string]map[string][2]float64{}}
	for _, f := range []string{"SA1", "SA2", "SA3", "SM1", "SM2", "SM3", "SM4", "SO1", "SO2", "SO3", "SK1", "SK2", "SK3", "SK4", "SK5"} {
		info.ErrorRates[f] = map[string][2]float64{"en": {0.79, 0.21}, "zh": {0.79, 0.21}}
	}
	return info
}

// simPerson answers n opportunities in social awareness with the given skill: conversation effects, three facets, and
// a head that reports each outcome with noise.
func simPerson(rng *rand.Rand, skill float64, n int) []assessment.SimItem {
	var items []assessment.SimItem
	perConversation := 4
	logit := math.Log(skill / (1 - skill))
	var p float64
	for i := range n {
		conv := i / perConversation
		if i%perConversation == 0 {
			p = 1 / (1 + math.Exp(-(logit + 0.5*rng.NormFloat64())))
		}
		for _, f := range []string{"SO1", "SO2", "SO3"} {
			good := rng.Float64() < p
			right := rng.Float64() < 0.85
			y := 0.989 - 0.15*rng.Float64() // 0.85 right at 0.914 on average: s1 0.79, s0 0.21
			if good != right {
				y = 1 - y
			}
			// A half of the conversations are prompts of a scene, each a cluster of its own.
			items = append(items, assessment.SimItem{
				Facet: f, Y: y, W: 0.6 + 0.4*rng.Float64(), Cluster: uint32(conv), Counterpart: uint32(conv % 9), Day: uint16(20000 + conv%21), Assessment: conv%2 == 0,
			})
		}
	}
	return items
}

type simResult struct {
	bias, coverage, right, high, scored float64
}

func simulate(skill float64, n, people int) simResult {
	var out simResult
	want := schemas.LevelEmerging
	for i, cut := range []float64{0.4, 0.6, 0.78} {
		if skill >= cut {
			want = schemas.Level(i + 2)
		}
	}
	rng := rand.New(rand.NewPCG(uint64(skill*1000), uint64(n)))
	// The conversation effect moves the mean skill a little towards the middle; compare with what is true of this person.
	truth := 0.0
	for range 20000 {
		truth += 1 / (1 + math.Exp(-(math.Log(skill/(1-skill)) + 0.5*rng.NormFloat64()))) / 20000
	}
	for k := range people {
		rep := assessment.Simulate(simInfo(), schemas.DimensionSocialAwareness, simPerson(rng, skill, n), uint64(k)+1)
		if rep.Status != assessment.StatusScored {
			continue
		}
		out.scored++
		out.bias += *rep.Score/100 - truth
		if rep.Interval90[0] <= 100*truth && 100*truth <= rep.Interval90[1] {
			out.coverage++
		}
		if rep.Level != nil {
			l, _ := schemas.ParseLevel(*rep.Level)
			if l == want {
				out.right++
			}
			if l > want {
				out.high++
			}
		}
	}
	if out.scored > 0 {
		out.bias /= out.scored
		out.coverage /= out.scored
		out.right /= out.scored
		out.high /= out.scored
	}
	out.scored /= float64(people)
	return out
}

func TestSimulatedPeople(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("draws 2400 people")
	}
	const people = 200
	skills := []float64{0.3, 0.5, 0.7, 0.85}
	right := 0.0
	for _, skill := range skills {
		r80, r160 := simulate(skill, 80, people), simulate(skill, 160, people)
		t.Logf("skill %.2f: 80: %+v 160: %+v", skill, r80, r160)
		if math.Abs(r80.bias) > 0.05 {
			t.Errorf("skill %.2f at 80: bias %.3f, want at most 0.05", skill, r80.bias)
		}
		// 0.88 is the target; with 200 people the estimate itself moves by 0.023.
		if r80.coverage < 0.85 {
			t.Errorf("skill %.2f at 80: the 90 %% interval covers %.2f, want 0.88", skill, r80.coverage)
		}
		if r80.high > 0.02 || r160.high > 0.02 {
			t.Errorf("skill %.2f: level too high in %.3f and %.3f, want at most 0.02", skill, r80.high, r160.high)
		}
		right += r160.right / float64(len(skills))
		if got := simulate(skill, 10, people); got.scored != 0 {
			t.Errorf("skill %.2f at half the minimum: %.2f scored, want none", skill, got.scored)
		}
	}
	if right < 0.80 {
		t.Errorf("level right at 160: %.3f on average, want 0.85", right)
	}
	t.Logf("level right at 160: %.3f", right)
}

func TestSimulatedRanking(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("draws 200 people")
	}
	rng := rand.New(rand.NewPCG(7, 7))
	var truth, score []float64
	for k := range 200 {
		skill := 0.15 + 0.75*rng.Float64()
		rep := assessment.Simulate(simInfo(), schemas.DimensionSocialAwareness, simPerson(rng, skill, 80), uint64(k)+1)
		truth, score = append(truth, skill), append(score, *rep.Score)
	}
	if rho := spearman(truth, score); rho < 0.85 {
		t.Errorf("Spearman over 200 people = %.3f, want 0.85", rho)
	}
}

func spearman(a, b []float64) float64 {
	ra, rb := ranks(a), ranks(b)
	n := float64(len(a))
	sum := 0.0
	for i := range ra {
		sum += (ra[i] - rb[i]) * (ra[i] - rb[i])
	}
	return 1 - 6*sum/(n*(n*n-1))
}

func ranks(x []float64) []float64 {
	order := make([]int, len(x))
	for i := range order {
		order[i] = i
	}
	sort.Slice(order, func(i, j int) bool { return x[order[i]] < x[order[j]] })
	out := make([]float64, len(x))
	for r, i := range order {
		out[i] = float64(r)
	}
	return out
}

func BenchmarkAggregateMillion(b *testing.B) {
	rng := rand.New(rand.NewPCG(1, 1))
	items := simPerson(rng, 0.6, 1_000_000/3)
	for b.Loop() {
		assessment.Simulate(simInfo(), schemas.DimensionSocialAwareness, items, 1)
	}
	b.ReportMetric(float64(len(items))*float64(b.N)/b.Elapsed().Seconds(), "items/s")
}
