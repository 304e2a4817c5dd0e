package suite

import (
	"context"
	"maps"
	"math"
	"slices"
	"strconv"

	"heartmark/assessment/evaluate/dataset"
	"heartmark/assessment/evaluate/metric"
	"heartmark/schemas"
)

// byPerson compares the social-skills scores of CaSiNo people by what they said of themselves.
func byPerson(ctx context.Context, e Env, out *Outcome) error {
	people, known, _, err := negotiators(ctx, e)
	if err != nil {
		return err
	}
	by := map[string]map[string][]float64{"gender": {}, "age band": {}}
	for _, p := range people {
		who := known[p.dialogue][p.name]
		if s, ok := p.score[schemas.DimensionSocialSkills]; ok {
			by["gender"][who.Gender] = append(by["gender"][who.Gender], s)
			by["age band"][who.AgeBand] = append(by["age band"][who.AgeBand], s)
		}
	}
	table := Table{Title: "CaSiNo: social_skills by what people said of themselves", Columns: []string{"of", "group", "people", "mean", "d against the others"}}
	for _, of := range []string{"gender", "age band"} {
		worst, rows, compared := 0.0, 0, 0
		for _, group := range slices.Sorted(maps.Keys(by[of])) {
			mine := by[of][group]
			var others []float64
			for g, values := range by[of] {
				if g != group {
					others = append(others, values...)
				}
			}
			rows += len(mine)
			d := cohen(mine, others)
			table.Rows = append(table.Rows, []string{of, group, strconv.Itoa(len(mine)), number(metric.Mean(mine)), number(d)})
			const fewest = 40
			if len(mine) >= fewest && len(others) >= fewest {
				worst, compared = max(worst, math.Abs(d)), compared+1
			}
		}
		m := metric.Measure{
			Suite: metric.SuiteFairness, Set: dataset.SetCasino, Lang: "en", Metric: "largest |d| by " + of, Rows: rows, Value: worst, Gate: metric.Ceiling(0.2),
			Note: withoutMinimum + "; groups of 40 or more against all others",
		}
		if compared == 0 {
			out.missing(m, "no group has 40 people")
			continue
		}
		out.add(m)
	}
	out.Tables = append(out.Tables, table)
	return nil
}

// cohen is the difference of two means in pooled standard deviations.
func cohen(a, b []float64) float64 {
	if len(a) < 2 || len(b) < 2 {
		return 0
	}
	x, y := metric.Deviation(a), metric.Deviation(b)
	n, m := float64(len(a)-1), float64(len(b)-1)
	pooled := math.Sqrt((n*x*x + m*y*y) / (n + m))
	if pooled == 0 {
		return 0
	}
	return (metric.Mean(a) - metric.Mean(b)) / pooled
}
