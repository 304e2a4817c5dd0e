package assessment

import (
	"encoding/json"
	"math"
	"slices"
	"strings"

	"heartmark/assessment/evidence"
	"heartmark/schemas"
)

// Schema names the form of Report's JSON.
const Schema = "dei-assessment/1"

// Method names how reports are made; a credential states it.
const Method = "heartmark-dei-written/1"

// Values of DimensionReport.Status and Overall.Status.
const (
	StatusScored       = "scored"
	StatusInsufficient = "insufficient_evidence"
	StatusWithheld     = "withheld"    // quality or safety
	StatusUnavailable  = "unavailable" // the model could not be used
	StatusPartial      = "partial"     // overall only: not all four dimensions are scored
)

// Caveats of a report.
const (
	CaveatProvisionalScale = "provisional_scale"
	CaveatProvisionalRates = "provisional_error_rates"
	CaveatOperatorConsent  = "operator_consent" // the operator vouched for the consent
	CaveatCarePath         = "care_path"        // for the subject only
)

// Report is the result for one subject. Its JSON is the documented form; ID, Provenance and Items travel beside it.
type Report struct {
	Schema     string                                `json:"schema"`
	Subject    string                                `json:"subject"`
	Platforms  []string                              `json:"platforms"`
	Window     Window                                `json:"window"`
	Model      ReportModel                           `json:"model"`
	Dimensions map[schemas.Dimension]DimensionReport `json:"dimensions"`
	Overall    Overall                               `json:"overall"`
	Quality    Quality                               `json:"quality"`
	Caveats    []string                              `json:"caveats"`
	// Version counts corrections: 0 for a report as it was made, 2 after the first correction.
	Version int `json:"version,omitempty"`

	ID         string     `json:"-"`
	Provenance Provenance `json:"-"`
	Items      []Item     `json:"-"`
}

// Window is the first and last day of the scored messages, "" when none was.
type Window struct {
	From string `json:"from"`
	To   string `json:"to"`
}

// ReportModel names what scored.
type ReportModel struct {
	ID      string `json:"id"`
	SHA256  string `json:"sha256"`
	Runtime string `json:"runtime"`
	Scale   string `json:"scale"`
}

// DimensionReport is the result of one dimension. Numbers are null unless it is scored; Level is null when the
// interval is too wide, Certifiable below the certifying minimum.
type DimensionReport struct {
	Status        string                 `json:"status"`
	Score         *float64               `json:"score"` // 0 to 100
	Interval90    *[2]float64            `json:"interval90"`
	SEM           *float64               `json:"sem"`
	Level         *string                `json:"level"`
	Certifiable   *string                `json:"certifiable"`
	PLevel        *PLevel                `json:"p_level"`
	Opportunities int                    `json:"opportunities"`
	Effective     float64                `json:"effective"`
	Conversations int                    `json:"conversations"`
	Counterparts  int                    `json:"counterparts"`
	Days          int                    `json:"days"`
	SharePresent  float64                `json:"share_present"`
	Facets        map[string]FacetReport `json:"facets"`
	Evidence      []Evidence             `json:"evidence"`
	Reasons       []Reason               `json:"reasons"`
	// Timeline has two or more periods, the oldest first, or is absent: over less, nothing can be said about time.
	Timeline []Period `json:"timeline,omitempty"`
}

// PLevel is the probability of reaching at least each level, cut (never rounded up) to two decimals.
type PLevel struct {
	Developing float64 `json:"developing"`
	Proficient float64 `json:"proficient"`
	Advanced   float64 `json:"advanced"`
}

// At is the probability of reaching at least level l.
func (p PLevel) At(l schemas.Level) float64 {
	switch l {
	case schemas.LevelDeveloping:
		return p.Developing
	case schemas.LevelProficient:
		return p.Proficient
	case schemas.LevelAdvanced:
		return p.Advanced
	default:
		return 1
	}
}

// FacetReport is the result of one facet: mean in [0, 1], effective number of items, and the information they leave.
type FacetReport struct {
	Mean float64 `json:"mean"`
	N    float64 `json:"n"`
	Info float64 `json:"info"`
}

// Counted reports whether the facet has enough information to be part of its dimension's score.
func (f FacetReport) Counted() bool { return f.Info >= minFacetInfo }

// SEM is the standard deviation of the facet's Beta posterior, in points (0 to 100). It leaves out what conversations and
// error rates add, so it orders facets and is no interval for a reader.
func (f FacetReport) SEM() float64 {
	return 100 * math.Sqrt(f.Mean*(1-f.Mean)/(f.Info+priorStrength+1))
}

// Evidence is one of the subject's own messages that moved a facet.
type Evidence struct {
	Message      string      `json:"message"`
	Quote        string      `json:"quote"` // the subject's own scrubbed words
	Facet        string      `json:"facet"`
	Direction    string      `json:"direction"`    // "+" or "-"
	Contribution float64     `json:"contribution"` // to the score, in units of the whole scale
	Highlights   []Highlight `json:"highlights"`
}

// Highlight is a range of code points of the quote, end excluded, with the weight of those words.
type Highlight struct {
	Start, End int
	Weight     float64
}

// MarshalJSON writes [start, end, weight].
func (h Highlight) MarshalJSON() ([]byte, error) {
	return json.Marshal([3]float64{float64(h.Start), float64(h.End), h.Weight})
}

// UnmarshalJSON reads [start, end, weight].
func (h *Highlight) UnmarshalJSON(b []byte) error {
	var v [3]float64
	if err := json.Unmarshal(b, &v); err != nil {
		return err
	}
	h.Start, h.End, h.Weight = int(v[0]), int(v[1]), v[2]
	return nil
}

// Overall is the mean of the four dimensions, when all four are scored.
type Overall struct {
	Status      string      `json:"status"`
	Score       *float64    `json:"score,omitempty"`
	Interval90  *[2]float64 `json:"interval90,omitempty"`
	SEM         *float64    `json:"sem,omitempty"`
	Level       *string     `json:"level,omitempty"`
	Certifiable *string     `json:"certifiable,omitempty"`
	PLevel      *PLevel     `json:"p_level,omitempty"`
}

// Quality tells what the report rests on.
type Quality struct {
	Messages   int                `json:"messages"`
	Scored     int                `json:"scored"`
	Languages  map[string]float64 `json:"languages"`
	Dropped    map[string]int     `json:"dropped"`
	NearCopies int                `json:"near_copies"`
	// Scenes counts the answered opportunities by kind of scene, assessment scenes and those of unknown kind left out: where
	// this person has room to practise.
	Scenes map[string]int `json:"scenes,omitempty"`
}

// Provenance is what a credential may say of a report, and what its keeper needs. It is stored with the report.
type Provenance struct {
	BatchDigests []string                  `json:"batch_digests"`
	Salts        []string                  `json:"salts"` // of the digests, hex
	Purposes     []string                  `json:"purposes"`
	Policy       string                    `json:"policy"`  // version of the consent text
	Vouched      bool                      `json:"vouched"` // by the operator
	Mix          map[schemas.Dimension]Mix `json:"mix"`
}

// Mix is how much of a dimension's score comes from free chat and from assessment scenes.
type Mix struct {
	Free  float64 `json:"free"`
	Scene float64 `json:"scene"`
}

// Item is what is kept of one answered opportunity: no text, no actor.
type Item struct {
	Facet        string  `json:"facet"`
	Outcome      float64 `json:"outcome"`
	Weight       float64 `json:"weight"`
	Day          string  `json:"day"`
	Language     string  `json:"language"`
	Scene        string  `json:"scene,omitempty"`
	Assessment   bool    `json:"assessment,omitempty"`
	Conversation string  `json:"conversation"`          // keyed hash
	Counterpart  string  `json:"counterpart,omitempty"` // keyed hash
	// Messages are keyed hashes of the subject's messages that the item rests on, so that one can be taken out.
	Messages []string `json:"messages,omitempty"`
}

// JSON returns the report's documented form: the same report, the same bytes.
func (r Report) JSON() ([]byte, error) { return json.Marshal(r) }

// PlatformView is what a platform key may read without the data class "report": status, levels and reasons.
func (r Report) PlatformView() Report {
	v := Report{
		Schema: r.Schema, Subject: r.Subject, Platforms: r.Platforms, Window: r.Window, Model: r.Model, ID: r.ID,
		Overall: Overall{Status: r.Overall.Status, Level: r.Overall.Level, Certifiable: r.Overall.Certifiable},
		Quality: Quality{Languages: map[string]float64{}, Dropped: map[string]int{}}, Dimensions: map[schemas.Dimension]DimensionReport{},
	}
	for _, c := range r.Caveats {
		if c != CaveatCarePath { // the help text is for the subject alone
			v.Caveats = append(v.Caveats, c)
		}
	}
	for name, d := range r.Dimensions {
		v.Dimensions[name] = DimensionReport{
			Status: d.Status, Level: d.Level, Certifiable: d.Certifiable, Reasons: d.Reasons,
			Facets: map[string]FacetReport{}, Evidence: []Evidence{},
		}
	}
	return v
}

// unavailable takes every number back: the model could not be used.
func (r *Report) unavailable() {
	for _, d := range schemas.Dimensions() {
		r.Dimensions[d] = unscored(StatusUnavailable, reason(ReasonModel, 0, 0))
	}
	r.Overall = Overall{Status: StatusUnavailable}
	r.Items = nil
}

func unscored(status string, why ...Reason) DimensionReport {
	return DimensionReport{Status: status, Facets: map[string]FacetReport{}, Evidence: []Evidence{}, Reasons: why}
}

// report puts the result together.
func (r *run) report(b evidence.Batch) Report {
	out := Report{
		Schema: Schema, Subject: r.rec.Subject, Dimensions: map[schemas.Dimension]DimensionReport{},
		Model:     ReportModel{ID: r.info.ID, SHA256: strings.TrimPrefix(r.info.SHA256, "sha256:"), Runtime: r.info.Runtime, Scale: r.info.Scale},
		Platforms: []string{}, Caveats: []string{},
		Provenance: Provenance{
			BatchDigests: []string{b.Digests[evidence.Subject(r.rec.Platform, r.rec.Subject)]}, Salts: []string{b.Salt},
			Purposes: slices.Clone(r.rec.Purposes), Policy: r.rec.Policy, Vouched: r.rec.Vouched, Mix: map[schemas.Dimension]Mix{},
		},
	}
	r.window(&out, b)
	r.measure(&out)
	out.Quality = r.tallied()
	if strings.HasSuffix(r.info.Scale, "-provisional") {
		out.Caveats = append(out.Caveats, CaveatProvisionalScale)
	}
	if !r.info.ErrorRatesFinal {
		out.Caveats = append(out.Caveats, CaveatProvisionalRates)
	}
	if r.rec.Vouched {
		out.Caveats = append(out.Caveats, CaveatOperatorConsent)
	}
	if r.stats.care {
		out.Caveats = append(out.Caveats, CaveatCarePath)
	}
	out.Items = r.keep()
	return out
}

func (r *run) window(out *Report, b evidence.Batch) {
	for _, i := range r.own {
		t := &r.turns[i]
		if !t.eligible {
			continue
		}
		if out.Window.From == "" || t.day < out.Window.From {
			out.Window.From = t.day
		}
		if t.day > out.Window.To {
			out.Window.To = t.day
		}
	}
	for _, room := range b.Rooms(r.rec) {
		if name := b.Messages[room.Start].Platform; !slices.Contains(out.Platforms, name) {
			out.Platforms = append(out.Platforms, name)
		}
	}
	slices.Sort(out.Platforms)
}

func (r *run) tallied() Quality {
	q := Quality{Messages: r.stats.messages, Scored: r.stats.scored, Languages: map[string]float64{}, Dropped: map[string]int{}, NearCopies: r.stats.nearCopies}
	for l, n := range r.stats.languages {
		q.Languages[l] = round(float64(n)/float64(r.stats.scored), 2)
	}
	for why, n := range r.stats.dropped {
		if n > 0 {
			q.Dropped[why] = n
		}
	}
	q.Scenes = r.scenesSeen()
	return q
}

// scenesSeen counts the items by kind of scene; nil where no kind is known.
func (r *run) scenesSeen() map[string]int {
	var seen map[string]int
	for i := range r.items {
		it := &r.items[i]
		kind := r.turns[it.turn].scene.Kind
		if it.assessment || kind == "" || kind == evidence.SceneAssessment {
			continue
		}
		if seen == nil {
			seen = map[string]int{}
		}
		seen[kind]++
	}
	return seen
}

// keep turns the items into what is stored.
func (r *run) keep() []Item {
	out := make([]Item, 0, len(r.items))
	for i := range r.items {
		it := &r.items[i]
		k := Item{
			Facet: r.a.facets[it.facet].code, Outcome: round(it.y, 4), Weight: round(it.w, 4), Day: r.turns[it.turn].day,
			Language: r.turns[it.turn].lang, Scene: r.turns[it.turn].scene.Kind, Assessment: it.assessment,
			Conversation: r.keyed("conversation", r.names.names[it.cluster]),
		}
		for _, id := range r.turns[it.turn].ids {
			k.Messages = append(k.Messages, r.keyed("message", id))
		}
		if it.counterpart != noCounterpart {
			k.Counterpart = r.keyed("counterpart", r.names.names[it.counterpart])
		}
		out = append(out, k)
	}
	return out
}
