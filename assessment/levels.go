package assessment

import (
	"math"
	"slices"

	"heartmark/schemas"
)

// Cuts of the scale, of 1, for developing, proficient and advanced: start values, provisional.
func cuts() [3]float64 { return [3]float64{0.40, 0.60, 0.78} }

// Cuts are where the levels developing, proficient and advanced begin, in points of a score (0 to 100). Start values,
// provisional: a report on them carries CaveatProvisionalScale.
func Cuts() [3]float64 {
	out := cuts()
	for i := range out {
		out[i] *= 100
	}
	return out
}

// How sure a level must be to be shown, to be certified, and to be certified without a reviewer.
const (
	showP    = 0.80
	certifyP = 0.90
	// BorderP is the probability under which a stated level counts as near a border (design.md §9.18).
	BorderP = 0.95
)

// minimum is a row of the minimum evidence table.
type minimum struct {
	opportunities, conversations, counterparts, days int
	info, width                                      float64
}

func showMinimum() minimum { return minimum{20, 3, 3, 3, 4, 0.30} }

func certifyMinimum() minimum { return minimum{80, 10, 5, 14, 15, 0.22} }

// minSceneShare is how much of a certificate's evidence comes from free chat and from assessment scenes, each.
const minSceneShare = 0.25

// missing lists what evidence falls short of m, under codes with the prefix.
func (m minimum) missing(prefix string, s *summary, info float64) []Reason {
	var out []Reason
	for _, x := range []struct {
		code       string
		have, need float64
	}{
		{ReasonOpportunities, float64(s.opportunities), float64(m.opportunities)},
		{ReasonInformation, info, m.info},
		{ReasonConversations, float64(s.conversations), float64(m.conversations)},
		{ReasonCounterparts, float64(s.counterparts), float64(m.counterparts)},
		{ReasonDays, float64(s.days), float64(m.days)},
	} {
		if x.have < x.need {
			out = append(out, reason(prefix+x.code, math.Floor(x.have*10)/10, x.need))
		}
	}
	return out
}

// result is a dimension on its way into the report.
type result struct {
	report DimensionReport
	draws  draws
	theta  float64
	est    []facetEstimate
	c      combined
}

// measure fills the dimensions and the overall result.
func (r *run) measure(out *Report) {
	rate := map[facet]*rates{}
	for f := range facetCount {
		x := ratesOf(r.info, r.a.facets[f].code)
		rate[f] = &x
	}
	results := make([]result, 4)
	for d, name := range schemas.Dimensions() {
		facets := dimensionFacets()[d]
		var items []item
		for i := range r.items {
			if slices.Contains(facets, r.items[i].facet) {
				items = append(items, r.items[i])
			}
		}
		weigh(items, rate)
		s := summarise(facets, items, rate)
		results[d] = r.dimension(d, &s, items, rate)
		if c := results[d].c; c.present > 0 {
			free, scene := s.mix(c)
			out.Provenance.Mix[name] = Mix{Free: round(free, 2), Scene: round(scene, 2)}
		}
		out.Dimensions[name] = results[d].report
	}
	out.Overall = overall(results)
}

// dimension is one dimension's way from sums to level.
func (r *run) dimension(d int, s *summary, items []item, rate map[facet]*rates) result {
	if status, why := r.refusal(d); status != "" {
		return result{report: unscored(status, why)}
	}
	res := result{est: s.estimateAll(rate)}
	res.c = combine(&r.a.facets, s.facets, res.est)
	rep := &res.report
	*rep = DimensionReport{
		Opportunities: s.opportunities, Effective: round(res.c.n, 1), Conversations: s.conversations, Counterparts: s.counterparts,
		Days: s.days, SharePresent: round(res.c.present, 2), Facets: map[string]FacetReport{}, Evidence: []Evidence{}, Reasons: []Reason{},
	}
	for i, f := range s.facets {
		if e := res.est[i]; e.items > 0 && e.reportable {
			rep.Facets[r.a.facets[f].code] = FacetReport{Mean: round(e.mean, 2), N: round(e.n, 1), Info: round(e.info, 1)}
		}
	}
	missing := showMinimum().missing("", s, res.c.info)
	if !res.c.reported {
		missing = append(missing, reason(ReasonShares, round(res.c.present, 2), minShares))
	}
	if s.noRates {
		missing = appendIf(missing, len(missing) > 0, reason(ReasonErrorRates, 0, 0))
	}
	if len(missing) > 0 {
		rep.Status, rep.Reasons = StatusInsufficient, missing
		return res
	}
	res.draws = drawTheta(s, res.est, res.c, rate, r.a.cfg.Seed, uint64(d)+1)
	res.theta = res.c.theta
	res.score(s)
	if len(r.turns) > 0 { // items that were kept have no words to show
		r.explain(d, s, items, &res, rate)
		res.report.Timeline = r.timeline(d, rate)
	}
	return res
}

func appendIf(list []Reason, ok bool, x Reason) []Reason {
	if ok {
		return append(list, x)
	}
	return list
}

// refusal tells whether the dimension can be scored at all.
func (r *run) refusal(d int) (status string, why Reason) {
	absent := 0.0
	for _, f := range dimensionFacets()[d] {
		for _, h := range r.a.facets[f].heads {
			if r.heads.faulty[h] {
				return StatusUnavailable, reason(ReasonModelOutput, 0, 0)
			}
		}
		if !r.heads.has(r.a.facets[f].heads...) {
			absent += r.a.facets[f].share
		}
	}
	switch {
	case 1-absent < minShares-1e-9:
		return StatusUnavailable, reason(ReasonHeadMissing, 0, 0)
	case r.stats.own > 0 && r.stats.otherLanguage*10 > r.stats.own*3:
		return StatusInsufficient, reason(ReasonLanguage, round(float64(r.stats.otherLanguage)/float64(r.stats.own), 2), 0.3)
	case r.stats.eligible >= 10 && r.stats.copied*2 > r.stats.eligible:
		return StatusWithheld, reason(ReasonCopied, round(float64(r.stats.copied)/float64(r.stats.eligible), 2), 0.5)
	}
	return "", Reason{}
}

// score fills number, interval and levels.
func (res *result) score(s *summary) {
	rep := &res.report
	low, high := res.draws.interval90()
	low, high = math.Min(low, res.theta), math.Max(high, res.theta)
	width := high - low
	rep.Status = StatusScored
	rep.Score = number(100*res.theta, 1)
	rep.Interval90 = &[2]float64{round(100*low, 1), round(100*high, 1)}
	rep.SEM = number(100*width/3.29, 1)
	p := pLevel(res.draws)
	rep.PLevel = &p
	top := schemas.LevelAdvanced
	if s.sceneKinds < 2 {
		top = schemas.LevelProficient
	}
	if width <= showMinimum().width {
		rep.Level = levelCode(highest(p, showP, top))
		if top < schemas.LevelAdvanced && p.Advanced >= showP {
			rep.Reasons = append(rep.Reasons, reason(ReasonAdvancedScenes, float64(s.sceneKinds), 2))
		}
	} else {
		rep.Reasons = append(rep.Reasons, reason(ReasonInterval, round(100*width, 1), 100*showMinimum().width))
	}
	short := certifyMinimum().missing(certifyPrefix, s, res.c.info)
	if width > certifyMinimum().width {
		short = append(short, reason(certifyPrefix+ReasonInterval, round(100*width, 1), 100*certifyMinimum().width))
	}
	free, scene := s.mix(res.c)
	if free < minSceneShare {
		short = append(short, reason(certifyPrefix+ReasonFreeShare, floor2(free), minSceneShare))
	}
	if scene < minSceneShare {
		short = append(short, reason(certifyPrefix+ReasonSceneShare, floor2(scene), minSceneShare))
	}
	if len(short) == 0 {
		rep.Certifiable = levelCode(highest(p, certifyP, top))
	}
	rep.Reasons = append(rep.Reasons, short...)
}

// pLevel cuts to two decimals: a probability is never rounded up.
func pLevel(d draws) PLevel {
	c := cuts()
	return PLevel{Developing: floor2(d.reaches(c[0])), Proficient: floor2(d.reaches(c[1])), Advanced: floor2(d.reaches(c[2]))}
}

// highest is the highest level up to top that is reached with probability need.
func highest(p PLevel, need float64, top schemas.Level) schemas.Level {
	for l := top; l > schemas.LevelEmerging; l-- {
		if p.At(l) >= need {
			return l
		}
	}
	return schemas.LevelEmerging
}

func levelCode(l schemas.Level) *string {
	code := l.Code()
	return &code
}

// overall is the mean of the four, only when all four are scored; its level is at most one above the lowest.
func overall(results []result) Overall {
	all := make([]draws, 0, len(results))
	theta := 0.0
	lowest, lowestCert := schemas.LevelAdvanced, schemas.LevelAdvanced
	level, cert := true, true
	status := StatusPartial
	unavailable := 0
	for _, res := range results {
		if res.report.Status == StatusUnavailable {
			unavailable++
		}
		if res.report.Status != StatusScored {
			continue
		}
		all = append(all, res.draws)
		theta += res.theta / float64(len(results))
		level, lowest = lower(res.report.Level, level, lowest)
		cert, lowestCert = lower(res.report.Certifiable, cert, lowestCert)
	}
	if unavailable == len(results) {
		status = StatusUnavailable
	}
	if len(all) < len(results) {
		return Overall{Status: status}
	}
	d := meanDraws(all)
	low, high := d.interval90()
	low, high = math.Min(low, theta), math.Max(high, theta)
	p := pLevel(d)
	o := Overall{
		Status: StatusScored, Score: number(100*theta, 1), Interval90: &[2]float64{round(100*low, 1), round(100*high, 1)},
		SEM: number(100*(high-low)/3.29, 1), PLevel: &p,
	}
	if level {
		o.Level = levelCode(highest(p, showP, min(lowest+1, schemas.LevelAdvanced)))
	}
	if cert {
		o.Certifiable = levelCode(highest(p, certifyP, min(lowestCert+1, schemas.LevelAdvanced)))
	}
	return o
}

func lower(code *string, ok bool, so schemas.Level) (bool, schemas.Level) {
	if code == nil {
		return false, so
	}
	l, err := schemas.ParseLevel(*code)
	if err != nil {
		return false, so
	}
	return ok, min(so, l)
}

func number(x float64, digits int) *float64 {
	v := round(x, digits)
	return &v
}

func round(x float64, digits int) float64 {
	f := math.Pow(10, float64(digits))
	return math.Round(x*f) / f
}

func floor2(x float64) float64 { return math.Floor(x*100+1e-9) / 100 }
