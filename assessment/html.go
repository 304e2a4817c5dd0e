package assessment

import (
	"crypto/sha256"
	_ "embed"
	"encoding/base64"
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

//go:embed report.css
var reportStyle string

// pagePolicy lets the page use its own style sheet and nothing else: no script, no request, no frame around it.
func pagePolicy() string {
	digest := sha256.Sum256([]byte(reportStyle))
	return "default-src 'none'; style-src 'sha256-" + base64.StdEncoding.EncodeToString(digest[:]) + "'; base-uri 'none'; form-action 'none'"
}

// PagePolicy is the Content-Security-Policy under which a server sends the page.
func PagePolicy() string { return pagePolicy() + "; frame-ancestors 'none'" }

// HTMLOptions choose the page's language and what the operator adds to it.
type HTMLOptions struct {
	Lang string // "en" or "zh"
	// HelpText is shown to the subject when messages spoke of self-harm or a threat to life. Empty shows a general one.
	HelpText string
	// ContestURL is where a level can be contested; empty tells whom to ask.
	ContestURL string
	// Contestable says that the report is kept by an installation, where a contest has a course (package review). False, for a
	// file that was scored offline, only says whom to tell.
	Contestable bool
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
	t, err := template.New("report").Parse(reportPage)
	if err != nil {
		return fmt.Errorf("report page: %w", err)
	}
	if err := t.Execute(w, NewPage(r, o)); err != nil {
		return fmt.Errorf("report page: %w", err)
	}
	return nil
}

// Page is a report as people read it, in the words of one language. The HTML page and the PDF show the same Page; what is a
// plot on the one is drawn anew on the other, from R.
type Page struct {
	Lang, HTMLLang string
	T              map[string]string // the fixed words by key
	R              Report
	Style          template.CSS
	Policy         string // Content-Security-Policy of the HTML page
	Summary        string
	Overall        *PageOverall // nil unless all four dimensions are scored
	Radar          template.HTML
	RadarText      []string
	Dims           []PageDimension
	Scenes         template.HTML
	ScenesText     string
	Facts          [][2]string
	Dropped        [][2]string
	Caveats        []string
	Help           string // the care text, for the subject only
	Limits         []string
	Contest        []string
	Method         [][2]string
	ContestURL     string
	Plan           *PagePlan
}

// PageOverall is the overall result in words.
type PageOverall struct {
	Score, Range, Level, Rubric string
}

// PageDimension is one dimension in words.
type PageDimension struct {
	Code, Name, About                string
	Scored                           bool
	Score, Range, Level, Certifiable string
	Rubric, Next, NextLevel          string
	Bar, Time, Shares                template.HTML
	BarText, SharesText              string
	TimeText                         []string
	Status                           string
	Reasons, CertReasons             []string
	Facets                           []PageFacet
	For, Against                     []PageQuote
	Facts                            string
	Mix                              string
}

// PageFacet is one side of a dimension. Percent is its mean; a thin one is not counted.
type PageFacet struct {
	Code, Name string
	Percent    int
	N          string
	Thin       bool
	Track      template.HTML
}

// PageQuote is a passage of the subject's own, cut at its highlights.
type PageQuote struct {
	Message, Facet string
	Parts          []QuotePart
}

// QuotePart is a piece of a passage: marked where the words weigh, deep where they weigh most.
type QuotePart struct {
	Text string
	Mark bool
	Deep bool
}

// NewPage puts a report into the words of one language, "en" or "zh" (anything else reads as "en").
func NewPage(r Report, o HTMLOptions) Page {
	if strings.HasPrefix(o.Lang, "zh") {
		o.Lang = "zh"
	} else {
		o.Lang = "en"
	}
	t := pageTexts(o.Lang)
	p := Page{Lang: o.Lang, HTMLLang: map[string]string{"en": "en", "zh": "zh-CN"}[o.Lang], T: t, R: r, ContestURL: o.ContestURL, Plan: o.Plan}
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
		v := PageOverall{Score: fmt.Sprintf("%.0f", *r.Overall.Score), Range: span(r.Overall.Interval90)}
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
	p.Contest = []string{t["contest"]}
	if o.Contestable {
		p.Contest = []string{t["contest_kept"]}
	}
	if r.ID != "" {
		p.Contest = append(p.Contest, t["contest_how"])
	}
	p.Scenes, p.ScenesText = scenesBar(r.Quality.Scenes, t)
	p.Style = template.CSS(reportStyle) //nolint:gosec // embedded
	p.Policy = pagePolicy()
	p.Method = [][2]string{
		{t["m_method"], Method},
		{t["m_model"], r.Model.ID},
		{t["m_digest"], r.Model.SHA256},
		{t["m_runtime"], r.Model.Runtime},
		{t["m_scale"], r.Model.Scale},
		{t["m_schema"], r.Schema},
	}
	if r.ID != "" { // a report that was read from a file has none
		p.Method = append(p.Method, [2]string{t["m_report"], r.ID})
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

func newDimension(d schemas.Dimension, rep DimensionReport, mix Mix, lang string, t map[string]string) PageDimension {
	p := PageDimension{Code: string(d), Name: d.Name(lang), About: d.Description(lang), Status: t["status_"+rep.Status], Scored: rep.Status == StatusScored}
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
		p.Facets = append(p.Facets, PageFacet{Code: code, Name: t["facet_"+code], Percent: int(math.Round(100 * f.Mean)), N: fmt.Sprintf("%.0f", f.N), Thin: f.Info < minFacetInfo, Track: track(f.Mean)})
	}
	for _, e := range rep.Evidence {
		q := PageQuote{Message: e.Message, Facet: t["facet_"+e.Facet], Parts: parts(e)}
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
	p.Time, p.TimeText = timePlot(rep.Timeline, t)
	p.Shares, p.SharesText = sharesBar(rep.Facets, t)
	return p
}

func trimCertify(s string) string {
	for _, prefix := range []string{"For a certificate: ", "颁发证书还需："} {
		s = strings.TrimPrefix(s, prefix)
	}
	return s
}

// parts splits a quote at its highlights.
func parts(e Evidence) []QuotePart {
	runes := []rune(e.Quote)
	var out []QuotePart
	at := 0
	for _, h := range e.Highlights {
		if h.Start < at || h.End > len(runes) || h.Start >= h.End {
			continue
		}
		if h.Start > at {
			out = append(out, QuotePart{Text: string(runes[at:h.Start])})
		}
		out = append(out, QuotePart{Text: string(runes[h.Start:h.End]), Mark: true, Deep: h.Weight >= 0.2})
		at = h.End
	}
	if at < len(runes) {
		out = append(out, QuotePart{Text: string(runes[at:])})
	}
	return out
}
