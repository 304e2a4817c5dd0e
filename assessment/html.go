package assessment

import (
	_ "embed"
	"fmt"
	"html/template"
	"io"
	"maps"
	"math"
	"slices"
	"strings"

	"heartmark/schemas"
)

//go:embed report.gohtml
var reportPage string

// HTMLOptions choose the page's language and what the operator adds to it.
type HTMLOptions struct {
	Lang string // "en" or "zh"
	// HelpText is shown to the subject when messages spoke of self-harm or a threat to life. Empty shows a general one.
	HelpText string
	// ContestURL is where a level can be contested; empty tells whom to ask.
	ContestURL string
	// Plan is what to practise, in the page's language; nil leaves the section out. Package training makes it.
	Plan *PagePlan
}

// PagePlan is a training plan as the page shows it.
type PagePlan struct {
	Modules  []PagePlanModule
	Missing  [][2]string // name of a dimension without score, and what evidence is missing
	Strong   []string    // names of dimensions where nothing needs closing
	Progress []string    // what changed since earlier windows, and what was dropped for it
}

// PagePlanModule is one module of a PagePlan.
type PagePlanModule struct {
	Title, Facet, Chosen, Goal, Why, Check string
	Exercises                              []string
	Scenarios                              []PagePlanScenario
}

// PagePlanScenario is a situation to practise an answer in.
type PagePlanScenario struct {
	Scene, Situation, Message, Skilful string
}

// RenderHTML writes the report as one self-contained page in lang ("en" or "zh"): no script, nothing remote.
func RenderHTML(w io.Writer, r Report, lang string) error {
	return RenderPage(w, r, HTMLOptions{Lang: lang})
}

// RenderPage writes the page with options.
func RenderPage(w io.Writer, r Report, o HTMLOptions) error {
	if !strings.HasPrefix(o.Lang, "zh") {
		o.Lang = "en"
	} else {
		o.Lang = "zh"
	}
	t, err := template.New("report").Parse(reportPage)
	if err != nil {
		return fmt.Errorf("report page: %w", err)
	}
	if err := t.Execute(w, newPage(r, o)); err != nil {
		return fmt.Errorf("report page: %w", err)
	}
	return nil
}

// page is what the template shows.
type page struct {
	Lang, HTMLLang string
	T              map[string]string
	R              Report
	Summary        string
	Overall        *pageOverall
	Radar          template.HTML
	RadarText      []string
	Dims           []pageDimension
	Facts          [][2]string
	Dropped        [][2]string
	Caveats        []string
	Help           string
	Limits         []string
	Method         [][2]string
	ContestURL     string
	Plan           *PagePlan
}

type pageOverall struct {
	Score, Range, Level, Rubric string
}

type pageDimension struct {
	Code, Name, About                string
	Scored                           bool
	Score, Range, Level, Certifiable string
	Rubric, Next, NextLevel          string
	Bar                              template.HTML
	BarText                          string
	Status                           string
	Reasons, CertReasons             []string
	Facets                           []pageFacet
	For, Against                     []pageQuote
	Facts                            string
	Mix                              string
}

type pageFacet struct {
	Code, Name string
	Percent    int
	N          string
	Thin       bool
}

type pageQuote struct {
	Message, Facet string
	Parts          []quotePart
}

type quotePart struct {
	Text string
	Mark bool
	Deep bool
}

func newPage(r Report, o HTMLOptions) page {
	t := pageTexts(o.Lang)
	p := page{Lang: o.Lang, HTMLLang: map[string]string{"en": "en", "zh": "zh-CN"}[o.Lang], T: t, R: r, ContestURL: o.ContestURL, Plan: o.Plan}
	scored := 0
	for _, d := range schemas.Dimensions() {
		rep := r.Dimensions[d]
		if rep.Status == StatusScored {
			scored++
		}
		p.Dims = append(p.Dims, newDimension(d, rep, r.Provenance.Mix[d], o.Lang, t))
	}
	p.Summary = summary4(scored, t)
	if r.Overall.Status == StatusScored {
		v := pageOverall{Score: fmt.Sprintf("%.0f", *r.Overall.Score), Range: span(r.Overall.Interval90)}
		if r.Overall.Level != nil {
			l, _ := schemas.ParseLevel(*r.Overall.Level)
			v.Level, v.Rubric = l.Name(o.Lang), l.Rubric(schemas.DimensionOverall, o.Lang)
		}
		p.Overall = &v
	}
	p.Radar, p.RadarText = radar(r, o.Lang, t)
	p.Facts = facts(r, t)
	for _, why := range slices.Sorted(maps.Keys(r.Quality.Dropped)) {
		if words := t["dropped_"+why]; words != "" {
			p.Dropped = append(p.Dropped, [2]string{words, fmt.Sprint(r.Quality.Dropped[why])})
		}
	}
	for _, c := range r.Caveats {
		if c == CaveatCarePath {
			p.Help = o.HelpText
			if p.Help == "" {
				p.Help = t["help"]
			}
			continue
		}
		if words := t["caveat_"+c]; words != "" {
			p.Caveats = append(p.Caveats, words)
		}
	}
	p.Limits = strings.Split(t["limits"], "|")
	p.Method = [][2]string{
		{t["m_method"], Method},
		{t["m_model"], r.Model.ID},
		{t["m_digest"], r.Model.SHA256},
		{t["m_runtime"], r.Model.Runtime},
		{t["m_scale"], r.Model.Scale},
		{t["m_schema"], r.Schema},
		{t["m_report"], r.ID},
	}
	return p
}

func summary4(scored int, t map[string]string) string {
	switch scored {
	case 4:
		return t["sum_all"]
	case 0:
		return t["sum_none"]
	}
	return fmt.Sprintf(t["sum_some"], scored)
}

func span(i *[2]float64) string { return fmt.Sprintf("%.0f–%.0f", i[0], i[1]) }

func facts(r Report, t map[string]string) [][2]string {
	var langs []string
	for _, l := range slices.Sorted(maps.Keys(r.Quality.Languages)) {
		langs = append(langs, fmt.Sprintf("%s %.0f %%", t["lang_"+l], 100*r.Quality.Languages[l]))
	}
	window := "–"
	if r.Window.From != "" {
		window = r.Window.From + " – " + r.Window.To
	}
	return [][2]string{
		{t["f_window"], window},
		{t["f_platforms"], strings.Join(r.Platforms, ", ")},
		{t["f_messages"], fmt.Sprint(r.Quality.Messages)},
		{t["f_scored"], fmt.Sprint(r.Quality.Scored)},
		{t["f_languages"], strings.Join(langs, ", ")},
		{t["f_copies"], fmt.Sprint(r.Quality.NearCopies)},
	}
}

func newDimension(d schemas.Dimension, rep DimensionReport, mix Mix, lang string, t map[string]string) pageDimension {
	p := pageDimension{Code: string(d), Name: d.Name(lang), About: d.Description(lang), Status: t["status_"+rep.Status], Scored: rep.Status == StatusScored}
	for _, why := range rep.Reasons {
		if rep.Opportunities == 0 && rep.Status == StatusInsufficient && why.Code != ReasonOpportunities && why.Code != ReasonLanguage {
			continue // nothing of the kind came up: one line says it
		}
		if why.Certify() {
			p.CertReasons = append(p.CertReasons, trimCertify(why.Text(lang)))
		} else {
			p.Reasons = append(p.Reasons, why.Text(lang))
		}
	}
	if rep.Opportunities > 0 {
		p.Facts = fmt.Sprintf(t["d_facts"], rep.Opportunities, rep.Conversations, rep.Counterparts, rep.Days)
	}
	if mix.Free+mix.Scene > 0 {
		p.Mix = fmt.Sprintf(t["d_mix"], 100*mix.Free, 100*mix.Scene)
	}
	for _, code := range slices.Sorted(maps.Keys(rep.Facets)) {
		f := rep.Facets[code]
		p.Facets = append(p.Facets, pageFacet{Code: code, Name: t["facet_"+code], Percent: int(math.Round(100 * f.Mean)), N: fmt.Sprintf("%.0f", f.N), Thin: f.Info < minFacetInfo})
	}
	for _, e := range rep.Evidence {
		q := pageQuote{Message: e.Message, Facet: t["facet_"+e.Facet], Parts: parts(e)}
		if e.Direction == "+" {
			p.For = append(p.For, q)
		} else {
			p.Against = append(p.Against, q)
		}
	}
	if !p.Scored {
		return p
	}
	p.Score, p.Range = fmt.Sprintf("%.0f", *rep.Score), span(rep.Interval90)
	if rep.Level != nil {
		l, _ := schemas.ParseLevel(*rep.Level)
		p.Level, p.Rubric = l.Name(lang), l.Rubric(d, lang)
		if l < schemas.LevelAdvanced {
			p.NextLevel, p.Next = (l + 1).Name(lang), (l+1).Rubric(d, lang)
		}
	}
	if rep.Certifiable != nil {
		l, _ := schemas.ParseLevel(*rep.Certifiable)
		p.Certifiable = fmt.Sprintf(t["d_cert"], l.Name(lang), 100*rep.PLevel.At(l))
	}
	p.Bar, p.BarText = bar(rep, lang, t)
	return p
}

func trimCertify(s string) string {
	for _, prefix := range []string{"For a certificate: ", "颁发证书还需："} {
		s = strings.TrimPrefix(s, prefix)
	}
	return s
}

// parts splits a quote at its highlights.
func parts(e Evidence) []quotePart {
	runes := []rune(e.Quote)
	var out []quotePart
	at := 0
	for _, h := range e.Highlights {
		if h.Start < at || h.End > len(runes) || h.Start >= h.End {
			continue
		}
		if h.Start > at {
			out = append(out, quotePart{Text: string(runes[at:h.Start])})
		}
		out = append(out, quotePart{Text: string(runes[h.Start:h.End]), Mark: true, Deep: h.Weight >= 0.2})
		at = h.End
	}
	if at < len(runes) {
		out = append(out, quotePart{Text: string(runes[at:])})
	}
	return out
}
