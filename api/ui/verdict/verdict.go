package verdict

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"heartmark/api/ui/words"
	"heartmark/schemas"
	"heartmark/verifier"
)

// View is a result in words.
type View struct {
	Verdict                 string
	Heading, Reason, Advice string
	// Place says where it was checked and what that rests on; the caller sets it.
	Place                 string
	HasSummary            bool
	Caution               string
	Name                  string
	IssuerName, IssuerID  string
	IssuerURL             string // https only, else empty
	HolderID              string
	ValidFrom, ValidUntil string
	ValidFromISO          string
	ValidUntilISO         string
	Checked, CheckedISO   string
	Levels                []Level
	Checks, Unused        []CheckLine
	// Tally says how many checks came out how.
	Tally        string
	Policy, JSON string
}

// Level is a level with its words.
type Level struct {
	Dimension, Level, Name, Rubric, Confidence string
	Number                                     int
}

// CheckLine is one kind of check with its worst outcome.
type CheckLine struct {
	ID, Outcome, Label, Word, Text string
}

// Fault is shown where no verdict could be reached at all.
type Fault struct {
	Title, Detail, Action string
	Fields                []Field
}

type Field struct{ Pointer, Detail string }

// The longest texts of a stranger that a page shows.
const (
	LongestName = 160
	LongestID   = 400
	longestJSON = 200_000
)

// New puts a result into words.
func New(w words.Words, r verifier.Result) *View {
	v := &View{
		Verdict: string(r.Verdict), Heading: w.Or("verdict."+string(r.Verdict), "verdict.undetermined"),
		Checked: w.Instant(r.CheckedAt), CheckedISO: schemas.FormatTime(r.CheckedAt), Policy: r.Policy,
	}
	if r.Verdict != verifier.Valid && r.Verdict != verifier.Invalid {
		v.Verdict = string(verifier.Undetermined) // whatever is not known is not accepted
	}
	v.Reason = reason(w, r)
	if r.Verdict != verifier.Valid {
		v.Advice = w.Text("verdict." + v.Verdict + ".advice")
		v.Caution = w.Text("verdict.caution." + v.Verdict)
	}
	summary(w, v, r)
	checks(w, v, r)
	v.JSON = resultJSON(r)
	return v
}

// reason says in one sentence why: the first check that decides.
func reason(w words.Words, r verifier.Result) string {
	deciding := []verifier.Outcome{}
	switch r.Verdict {
	case verifier.Valid:
		return w.Text("verdict.valid.reason")
	case verifier.Invalid:
		deciding = append(deciding, verifier.Fail)
	case verifier.Undetermined:
		deciding = append(deciding, verifier.NotDetermined, verifier.Skipped)
	}
	for _, outcome := range deciding {
		for _, c := range r.Checks {
			if c.Outcome != outcome {
				continue
			}
			if c.ID == verifier.CheckInner {
				if inner := innerReason(w, r, outcome); inner != "" {
					return inner
				}
			}
			return CheckText(w, c)
		}
	}
	return w.Or("verdict."+string(r.Verdict)+".reason", "verdict.undetermined.reason")
}

// innerReason is the reason of the first credential inside that decides.
func innerReason(w words.Words, r verifier.Result, outcome verifier.Outcome) string {
	for _, inner := range r.Inner {
		if (outcome == verifier.Fail) == (inner.Verdict == verifier.Invalid) && inner.Verdict != verifier.Valid {
			return reason(w, inner)
		}
	}
	return ""
}

// CheckText says what came out of a check: the words for its code, else those for its kind and outcome.
func CheckText(w words.Words, c verifier.Check) string {
	if w.Has("code." + c.Code) {
		return w.Text("code." + c.Code)
	}
	// Not done is not "there is none": the two families of codes that every check has come with words of their own.
	for _, suffix := range []string{"_not_checked", "_by_policy"} {
		if strings.HasSuffix(c.Code, suffix) {
			return w.Text("check" + suffix)
		}
	}
	outcome := string(c.Outcome)
	if c.Outcome == verifier.Skipped || c.Outcome == verifier.NotApplicable {
		outcome = "none"
	}
	return w.Or("check."+string(c.ID)+"."+outcome, "check.other."+outcome)
}

// checks lists each kind of check once, with its worst outcome; those that were not made or do not apply stand apart.
func checks(w words.Words, v *View, r verifier.Result) {
	for _, id := range verifier.CheckIDs() {
		found := r.Find(id)
		if len(found) == 0 {
			continue
		}
		worst := r.Outcome(id)
		view := CheckLine{
			ID: string(id), Outcome: string(worst), Label: w.Or("check."+string(id), "check.other"),
			Word: w.Text("outcome." + string(worst)),
		}
		for _, c := range found {
			if c.Outcome == worst {
				view.Text = CheckText(w, c)
				break
			}
		}
		if worst == verifier.NotApplicable || worst == verifier.Skipped {
			v.Unused = append(v.Unused, view)
		} else {
			v.Checks = append(v.Checks, view)
		}
	}
	v.Tally = tally(w, v.Checks)
}

// tally counts in words; what was not made stands apart.
func tally(w words.Words, lines []CheckLine) string {
	count := map[string]int{}
	for _, l := range lines {
		count[l.Outcome]++
	}
	var parts []string
	for _, o := range []verifier.Outcome{verifier.Pass, verifier.Fail, verifier.NotDetermined} {
		if n := count[string(o)]; n > 0 {
			parts = append(parts, w.Fill("verdict.tally."+string(o), "n", strconv.Itoa(n)))
		}
	}
	return strings.Join(parts, w.Text("verdict.tally.join"))
}

// summary says what the credential claims.
func summary(w words.Words, v *View, r verifier.Result) {
	s := r.Summary
	if s.IssuerID == "" && len(r.Inner) == 1 {
		s = r.Inner[0].Summary
		r = r.Inner[0]
	}
	v.HasSummary = s.IssuerID != "" || s.Name != ""
	v.Name, v.IssuerName = words.Clip(s.Name, LongestName), words.Clip(s.IssuerName, LongestName)
	v.IssuerID, v.HolderID = words.Clip(s.IssuerID, LongestID), words.Clip(s.HolderID, LongestID)
	if issuer, ok := r.Credential["issuer"].(map[string]any); ok {
		v.IssuerURL = httpsOnly(issuer["url"])
	}
	v.ValidFrom, v.ValidFromISO = date(w, s.ValidFrom)
	v.ValidUntil, v.ValidUntilISO = date(w, s.ValidUntil)
	for _, l := range s.Levels {
		v.Levels = append(v.Levels, level(w, l))
	}
}

func date(w words.Words, s string) (shown, iso string) {
	t, err := schemas.ParseTime(s)
	if err != nil {
		return words.Clip(s, 40), ""
	}
	return w.Day(t), schemas.FormatTime(t)
}

// level gives our own words for the levels of our vocabulary; anything else stands as the document says it.
func level(w words.Words, l verifier.StatedLevel) Level {
	view := Level{Dimension: words.Clip(l.Name, LongestName), Level: words.Clip(l.LevelName, LongestName)}
	if l.Dimension.Valid() {
		view.Dimension = l.Dimension.Name(w.Lang)
		if n, err := strconv.Atoi(l.Level); err == nil && schemas.Level(n).Valid() {
			view.Number, view.Level = n, schemas.Level(n).Name(w.Lang)
			view.Rubric = schemas.Level(n).Rubric(l.Dimension, w.Lang)
		}
	} else if view.Dimension == "" {
		view.Dimension = words.Clip(string(l.Dimension), LongestName)
	}
	if view.Level == "" {
		view.Level = words.Clip(l.Level, LongestName)
	}
	if l.Confidence != "" {
		view.Confidence = strings.ReplaceAll(w.Text("verdict.confidence"), "{value}", percent(l.Confidence))
	}
	return view
}

// percent writes "0.93" as "93%".
func percent(s string) string {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 0 || f > 1 {
		return words.Clip(s, 10)
	}
	return strconv.Itoa(int(f*100+0.5)) + "%"
}

// httpsOnly returns v if it is an https URL with a host, else "".
func httpsOnly(v any) string {
	s, ok := v.(string)
	if !ok || len(s) > LongestID {
		return ""
	}
	u, err := url.Parse(s)
	if err != nil || u.Scheme != "https" || u.Host == "" || u.User != nil {
		return ""
	}
	return u.String()
}

// resultJSON is the result as /v1/verify answers it, without what the credential says: the reader has that, above and in
// the document.
func resultJSON(r verifier.Result) string {
	r.Credential, r.Summary = nil, verifier.Summary{}
	r.Inner = slices.Clone(r.Inner)
	for i := range r.Inner {
		r.Inner[i].Credential, r.Inner[i].Summary = nil, verifier.Summary{}
	}
	var b strings.Builder
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(r); err != nil {
		return ""
	}
	return words.ClipLines(b.String(), longestJSON)
}
