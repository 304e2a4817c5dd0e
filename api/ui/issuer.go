package ui

import (
	"net/http"
	"slices"
	"strconv"
	"time"

	"heartmark/api/ui/words"
)

// bar is the time of a key on the timeline, in thousandths of its width.
type bar struct{ From, Width int }

type issuerPage struct {
	page
	Issuer issuerView
	Chains []chainView
	// Begin and End are the ends of the timeline, Now where today is on it, in thousandths.
	Begin, End string
	Now        int
}

// chainView is what one authority grants under one framework.
type chainView struct {
	By        string
	Framework address
	Control   string
	Grants    []authorityView
}

// chains puts authorities of one origin together, in the order in which they come.
func chains(all []authorityView) []chainView {
	var out []chainView
	for _, a := range all {
		i := slices.IndexFunc(out, func(c chainView) bool { return c.By == a.By && c.Framework == a.Framework && c.Control == a.Control })
		if i < 0 {
			i = len(out)
			out = append(out, chainView{By: a.By, Framework: a.Framework, Control: a.Control})
		}
		out[i].Grants = append(out[i].Grants, a)
	}
	return out
}

func logIndex(n *uint64) string {
	if n == nil {
		return ""
	}
	return strconv.FormatUint(*n, 10)
}

// Issuer answers the page of one issuer: on whose word it may do what, and its keys over time.
func (p *Pages) Issuer(w http.ResponseWriter, r *http.Request, did string) error {
	texts := p.begin(w, r)
	found, err := p.c.Registry.Issuer(r.Context(), did)
	if err != nil {
		return err
	}
	slices.SortStableFunc(found.Keys, func(a, b KeyOverview) int { return a.From.Compare(b.From) })
	data := issuerPage{page: p.page(texts, "issuer", "registry"), Issuer: p.issuer(texts, found)}
	data.Chains = chains(data.Issuer.Authorities)
	if data.Issuer.Name != "" {
		data.Title = data.Issuer.Name
	}
	data.timeline(texts, found.Keys, p.c.Now())
	return p.render(w, texts.Lang, "issuer", "base", http.StatusOK, data)
}

// timeline places the keys between the beginning of the first and the end of the last one; a key without end reaches to
// the end of the picture, which lies a little beyond today.
func (d *issuerPage) timeline(w words.Words, keys []KeyOverview, now time.Time) {
	if len(keys) == 0 {
		return
	}
	begin, end := keys[0].From, now
	for _, k := range keys {
		if k.Until.After(end) {
			end = k.Until
		}
	}
	const least = 24 * time.Hour
	if end.Sub(begin) < least {
		end = begin.Add(least)
	}
	const width = 1000
	place := func(t time.Time) int {
		return int(min(max(float64(t.Sub(begin))/float64(end.Sub(begin)), 0), 1) * width)
	}
	for i, k := range keys {
		until := k.Until
		if until.IsZero() {
			until = end
		}
		from := place(k.From)
		d.Issuer.Keys[i].Bar = bar{From: from, Width: max(place(until)-from, 8)}
	}
	d.Begin, d.End, d.Now = w.Day(begin), w.Day(end), place(now)
}
