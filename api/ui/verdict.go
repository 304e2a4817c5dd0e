package ui

import (
	"encoding/json"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"heartmark/schemas"
	"heartmark/verifier"
)

// verdictView is a result in words.
type verdictView struct {
	Verdict                 string
	Heading, Reason, Advice string
	HasSummary              bool
	Caution                 string
	Name                    string
	IssuerName, IssuerID    string
	IssuerURL               string // https only, else empty
	HolderID                string
	ValidFrom, ValidUntil   string
	ValidFromISO            string
	ValidUntilISO           string
	Checked, CheckedISO     string
	Levels                  []levelView
	Checks, Unused          []checkView
	Policy, JSON            string
}

// checkView is one kind of check with its worst outcome.
type checkView struct {
	ID, Outcome, Label, Word, Text string
}

// faultView is shown where no verdict could be reached at all.
type faultView struct {
	Title, Detail, Action string
	Fields                []problemField
}

type problemField struct{ Pointer, Detail string }

// The longest texts of a stranger that a page shows.
const (
	longestName = 160
	longestID   = 400
	longestJSON = 200_000
)

// verdict puts a result into words.
func (w words) verdict(r verifier.Result) *verdictView {
	v := &verdictView{
		Verdict: string(r.Verdict), Heading: w.or("verdict."+string(r.Verdict), "verdict.undetermined"),
		Checked: w.instant(r.CheckedAt), CheckedISO: schemas.FormatTime(r.CheckedAt), Policy: r.Policy,
	}
	if r.Verdict != verifier.Valid && r.Verdict != verifier.Invalid {
		v.Verdict = string(verifier.Undetermined) // whatever is not known is not accepted
	}
	v.Reason = w.reason(r)
	if r.Verdict != verifier.Valid {
		v.Advice = w.text["verdict."+v.Verdict+".advice"]
		v.Caution = w.text["verdict.caution."+v.Verdict]
	}
	w.summary(v, r)
	w.checks(v, r)
	v.JSON = resultJSON(r)
	return v
}

// reason says in one sentence why: the first check that decides.
func (w words) reason(r verifier.Result) string {
	deciding := []verifier.Outcome{}
	switch r.Verdict {
	case verifier.Valid:
		return w.text["verdict.valid.reason"]
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
			return w.checkText(c)
		}
	}
	return w.or("verdict."+string(r.Verdict)+".reason", "verdict.undetermined.reason")
}

// innerReason is the reason of the first credential inside that decides.
func innerReason(w words, r verifier.Result, outcome verifier.Outcome) string {
	for _, inner := range r.Inner {
		if (outcome == verifier.Fail) == (inner.Verdict == verifier.Invalid) && inner.Verdict != verifier.Valid {
			return w.reason(inner)
		}
	}
	return ""
}

// checkText says what came out of a check: the words for its code, else those for its kind and outcome.
func (w words) checkText(c verifier.Check) string {
	if w.has("code." + c.Code) {
		return w.text["code."+c.Code]
	}
	// Not done is not "there is none": the two families of codes that every check has come with words of their own.
	for _, suffix := range []string{"_not_checked", "_by_policy"} {
		if strings.HasSuffix(c.Code, suffix) {
			return w.text["check"+suffix]
		}
	}
	outcome := string(c.Outcome)
	if c.Outcome == verifier.Skipped || c.Outcome == verifier.NotApplicable {
		outcome = "none"
	}
	return w.or("check."+string(c.ID)+"."+outcome, "check.other."+outcome)
}

// CheckText says in lang what came out of a check.
func (p *Pages) CheckText(lang string, c verifier.Check) string {
	w, ok := p.words[lang]
	if !ok {
		w = p.words[schemas.LanguageEnglish]
	}
	return w.checkText(c)
}

// checks lists each kind of check once, with its worst outcome; those that were not made or do not apply stand apart.
func (w words) checks(v *verdictView, r verifier.Result) {
	for _, id := range verifier.CheckIDs() {
		found := r.Find(id)
		if len(found) == 0 {
			continue
		}
		worst := r.Outcome(id)
		view := checkView{
			ID: string(id), Outcome: string(worst), Label: w.or("check."+string(id), "check.other"),
			Word: w.text["outcome."+string(worst)],
		}
		for _, c := range found {
			if c.Outcome == worst {
				view.Text = w.checkText(c)
				break
			}
		}
		if worst == verifier.NotApplicable || worst == verifier.Skipped {
			v.Unused = append(v.Unused, view)
		} else {
			v.Checks = append(v.Checks, view)
		}
	}
}

// summary says what the credential claims.
func (w words) summary(v *verdictView, r verifier.Result) {
	s := r.Summary
	if s.IssuerID == "" && len(r.Inner) == 1 {
		s = r.Inner[0].Summary
		r = r.Inner[0]
	}
	v.HasSummary = s.IssuerID != "" || s.Name != ""
	v.Name, v.IssuerName = clip(s.Name, longestName), clip(s.IssuerName, longestName)
	v.IssuerID, v.HolderID = clip(s.IssuerID, longestID), clip(s.HolderID, longestID)
	if issuer, ok := r.Credential["issuer"].(map[string]any); ok {
		v.IssuerURL = httpsOnly(issuer["url"])
	}
	v.ValidFrom, v.ValidFromISO = w.date(s.ValidFrom)
	v.ValidUntil, v.ValidUntilISO = w.date(s.ValidUntil)
	for _, l := range s.Levels {
		v.Levels = append(v.Levels, w.level(l))
	}
}

func (w words) date(s string) (shown, iso string) {
	t, err := schemas.ParseTime(s)
	if err != nil {
		return clip(s, 40), ""
	}
	return w.day(t), schemas.FormatTime(t)
}

// level gives our own words for the levels of our vocabulary; anything else stands as the document says it.
func (w words) level(l verifier.StatedLevel) levelView {
	view := levelView{Dimension: clip(l.Name, longestName), Level: clip(l.LevelName, longestName)}
	if l.Dimension.Valid() {
		view.Dimension = l.Dimension.Name(w.lang)
		if n, err := strconv.Atoi(l.Level); err == nil && schemas.Level(n).Valid() {
			view.Number, view.Level = n, schemas.Level(n).Name(w.lang)
			view.Rubric = schemas.Level(n).Rubric(l.Dimension, w.lang)
		}
	} else if view.Dimension == "" {
		view.Dimension = clip(string(l.Dimension), longestName)
	}
	if view.Level == "" {
		view.Level = clip(l.Level, longestName)
	}
	if l.Confidence != "" {
		view.Confidence = strings.ReplaceAll(w.text["verdict.confidence"], "{value}", percent(l.Confidence))
	}
	return view
}

// percent writes "0.93" as "93%".
func percent(s string) string {
	f, err := strconv.ParseFloat(s, 64)
	if err != nil || f < 0 || f > 1 {
		return clip(s, 10)
	}
	return strconv.Itoa(int(f*100+0.5)) + "%"
}

// httpsOnly returns v if it is an https URL with a host, else "".
func httpsOnly(v any) string {
	s, ok := v.(string)
	if !ok || len(s) > longestID {
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
	return clipLines(b.String(), longestJSON)
}
