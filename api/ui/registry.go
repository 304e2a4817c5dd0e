package ui

import (
	"fmt"
	"net/http"
	"strings"
	"time"

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
	// Status is active, suspended or withdrawn.
	Status      string
	Authorities []AuthorityOverview
	Keys        []KeyOverview
}

// AuthorityOverview is one authority over its time.
type AuthorityOverview struct {
	Action, Resource, Framework string
	Levels                      []schemas.Level
	From, Until                 time.Time
	// Status is active, suspended, withdrawn, planned or expired.
	Status string
}

// KeyOverview is one key over its time.
type KeyOverview struct {
	// Method is the DID URL, Multibase the public key.
	Method, Multibase string
	// Kind is what the key signs: credential, status_list, …
	Kind        string
	From, Until time.Time
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
}

type registryPage struct {
	page
	Issuers   []issuerView
	Artifacts []artifactView
	Lists     []listView
	Log       LogOverview
}

type issuerView struct {
	DID, Name, Status, StatusWord string
	Authorities                   []authorityView
	Keys                          []keyView
}

type authorityView struct {
	ActionWord                         string
	Resource, Framework                address
	Levels, Period, Status, StatusWord string
}

// address is a URL as text; one of this installation is shown as its path, and is a link.
type address struct{ Text, Path string }

func (p *Pages) address(url string) address {
	if path, ok := strings.CutPrefix(url, p.c.Origin+"/"); ok {
		return address{Text: "/" + clip(path, longestID), Path: "/" + path}
	}
	return address{Text: clip(url, longestID)}
}

type keyView struct {
	Method, Multibase, KindWord, Period, Status, StatusWord string
}

type artifactView struct{ Path, KindWord, Digest string }

type listView struct {
	Path, PurposeWord string
	Version           uint64
}

// Registry answers the registry page.
func (p *Pages) Registry(w http.ResponseWriter, r *http.Request) error {
	words := p.begin(w, r)
	o, err := p.c.Registry.Overview(r.Context())
	if err != nil {
		return fmt.Errorf("registry page: %w", err)
	}
	data := registryPage{page: p.page(words, "registry", "registry"), Log: o.Log}
	for _, i := range o.Issuers {
		data.Issuers = append(data.Issuers, p.issuer(words, i))
	}
	for _, a := range o.Artifacts {
		data.Artifacts = append(data.Artifacts, artifactView{a.Path, words.or("artifact."+a.Kind, "artifact.other"), a.Digest})
	}
	for _, l := range o.Lists {
		data.Lists = append(data.Lists, listView{l.Path, words.or("purpose."+l.Purpose, "purpose.other"), l.Version})
	}
	return p.render(w, words.lang, "registry", "base", http.StatusOK, data)
}

func (p *Pages) issuer(w words, i IssuerOverview) issuerView {
	view := issuerView{DID: clip(i.DID, longestID), Name: clip(i.Name, longestName), Status: i.Status, StatusWord: w.state(i.Status)}
	for _, a := range i.Authorities {
		view.Authorities = append(view.Authorities, authorityView{
			ActionWord: w.or("action."+a.Action, "artifact.other"), Resource: p.address(a.Resource),
			Framework: p.address(a.Framework), Levels: w.levels(a.Levels), Period: w.period(a.From, a.Until),
			Status: a.Status, StatusWord: w.state(a.Status),
		})
	}
	for _, k := range i.Keys {
		view.Keys = append(view.Keys, keyView{
			Method: clip(k.Method, longestID), Multibase: clip(k.Multibase, longestID), KindWord: w.or("kind."+k.Kind, "kind.other"),
			Period: w.period(k.From, k.Until), Status: k.Status, StatusWord: w.state(k.Status),
		})
	}
	return view
}

func (w words) state(status string) string { return w.or("state."+status, "artifact.other") }

func (w words) levels(levels []schemas.Level) string {
	if len(levels) == 0 {
		return ""
	}
	names := make([]string, 0, len(levels))
	for _, l := range levels {
		names = append(names, l.Name(w.lang))
	}
	return w.text["registry.levels"] + ": " + strings.Join(names, ", ")
}
