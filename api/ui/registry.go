package ui

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"heartmark/api/ui/verdict"
	"heartmark/api/ui/words"
	"heartmark/schemas"
)

// Overview is what the registry page shows. Times are zero where there is no end.
type Overview struct {
	Issuers   []IssuerOverview
	Artifacts []ArtifactOverview
	Lists     []ListOverview
	Log       LogOverview
}

// IssuerOverview is one issuer with what it may do and with which keys.
type IssuerOverview struct {
	DID, Name string
	// Status is active, suspended, unbacked or withdrawn.
	Status      string
	Authorities []AuthorityOverview
	Keys        []KeyOverview
}

// AuthorityOverview is one authority over its time.
type AuthorityOverview struct {
	// By is the DID that granted it; Control the method that proved control of the issuer's DID.
	By, Action, Resource, Framework, Control string
	Levels                                   []schemas.Level
	From, Until                              time.Time
	// Since is when Status began, Reason why.
	Since  time.Time
	Reason string
	// LogIndex is its place in the log, nil while it is on its way.
	LogIndex *uint64
	// Status is active, suspended, withdrawn, planned, expired, or unbacked where a body above does not accredit now.
	Status string
}

// KeyOverview is one key over its time.
type KeyOverview struct {
	// Method is the DID URL, Multibase the public key.
	Method, Multibase string
	// Kind is what the key signs: credential, status_list, …
	Kind        string
	From, Until time.Time
	Reason      string
	LogIndex    *uint64
	// Status is active, planned, retired or revoked.
	Status string
}

// ArtifactOverview is one published schema, context, achievement or type.
type ArtifactOverview struct {
	// Kind is the first segment of its path: schemas, contexts, achievements, vct.
	Kind, Path, Digest string
}

// ListOverview is one status list.
type ListOverview struct {
	Path, Purpose string
	Version       uint64
}

// LogOverview is the state of the transparency log.
type LogOverview struct {
	Size uint64
	// Note is the signed checkpoint, empty while the log is.
	Note string
	// Keys are the log's verifier keys.
	Keys []string
}

type registryPage struct {
	page
	Query     string
	Issuers   []issuerView
	Artifacts []artifactView
	Lists     []listView
	Log       LogOverview
}

type issuerView struct {
	DID, Name, Status, StatusWord string
	Link                          string
	Authorities                   []authorityView
	Keys                          []keyView
}

type authorityView struct {
	ActionWord                         string
	Resource, Framework                address
	Levels, Period, Status, StatusWord string
	By, Control, Reason, Since         string
	Log                                string
}

// address is a URL as text; one of this installation is shown as its path, and is a link.
type address struct{ Text, Path string }

func (p *Pages) address(url string) address {
	if path, ok := strings.CutPrefix(url, p.c.Origin+"/"); ok {
		return address{Text: "/" + words.Clip(path, verdict.LongestID), Path: "/" + path}
	}
	return address{Text: words.Clip(url, verdict.LongestID)}
}

type keyView struct {
	Method, Multibase, KindWord, Period, Status, StatusWord string
	Reason, Log                                             string
	Bar                                                     bar
}

type artifactView struct{ Path, KindWord, Digest string }

type listView struct {
	Path, PurposeWord string
	Version           uint64
}

// longestQuery bounds what is searched for, in characters.
const longestQuery = 100

// Registry answers the registry page.
func (p *Pages) Registry(w http.ResponseWriter, r *http.Request) error {
	texts := p.begin(w, r)
	query := words.Clip(strings.TrimSpace(r.URL.Query().Get("q")), longestQuery)
	o, err := p.c.Registry.Overview(r.Context(), query)
	if err != nil {
		return fmt.Errorf("registry page: %w", err)
	}
	data := registryPage{page: p.page(texts, "registry", "registry"), Log: o.Log, Query: query}
	for _, i := range o.Issuers {
		data.Issuers = append(data.Issuers, p.issuer(texts, i))
	}
	for _, a := range o.Artifacts {
		data.Artifacts = append(data.Artifacts, artifactView{a.Path, texts.Or("artifact."+a.Kind, "artifact.other"), a.Digest})
	}
	for _, l := range o.Lists {
		data.Lists = append(data.Lists, listView{l.Path, texts.Or("purpose."+l.Purpose, "purpose.other"), l.Version})
	}
	return p.render(w, texts.Lang, "registry", "base", http.StatusOK, data)
}

func (p *Pages) issuer(w words.Words, i IssuerOverview) issuerView {
	view := issuerView{DID: words.Clip(i.DID, verdict.LongestID), Name: words.Clip(i.Name, verdict.LongestName), Status: i.Status, StatusWord: state(w, i.Status), Link: "/registry/issuers/" + url.PathEscape(i.DID)}
	for _, a := range i.Authorities {
		view.Authorities = append(view.Authorities, authorityView{
			ActionWord: w.Or("action."+a.Action, "artifact.other"), Resource: p.address(a.Resource),
			Framework: p.address(a.Framework), Levels: levelNames(w, a.Levels), Period: period(w, a.From, a.Until),
			Status: a.Status, StatusWord: state(w, a.Status), By: words.Clip(a.By, verdict.LongestID),
			Control: words.Clip(a.Control, verdict.LongestID), Reason: words.Clip(a.Reason, verdict.LongestID), Since: w.Day(a.Since), Log: logIndex(a.LogIndex),
		})
	}
	for _, k := range i.Keys {
		view.Keys = append(view.Keys, keyView{
			Method: words.Clip(k.Method, verdict.LongestID), Multibase: words.Clip(k.Multibase, verdict.LongestID), KindWord: w.Or("kind."+k.Kind, "kind.other"),
			Period: period(w, k.From, k.Until), Status: k.Status, StatusWord: state(w, k.Status),
			Reason: words.Clip(k.Reason, verdict.LongestID), Log: logIndex(k.LogIndex),
		})
	}
	return view
}

func state(w words.Words, status string) string { return w.Or("state."+status, "artifact.other") }

func levelNames(w words.Words, levels []schemas.Level) string {
	if len(levels) == 0 {
		return ""
	}
	names := make([]string, 0, len(levels))
	for _, l := range levels {
		names = append(names, l.Name(w.Lang))
	}
	return w.Text("registry.levels") + ": " + strings.Join(names, ", ")
}

// period writes "from – until"; an open end has its own word.
func period(w words.Words, from, until time.Time) string {
	end := w.Text("registry.open")
	if !until.IsZero() {
		end = w.Day(until)
	}
	return w.Day(from) + " – " + end
}
