package api

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"heartmark/api/ui"
	"heartmark/registry"
	"heartmark/registry/translog"
	"heartmark/schemas"
	"heartmark/schemas/trust"
)

// maxShown bounds how much of each kind the registry page lists; the plain reads have all of it.
const maxShown = 100

// overview gathers what the registry page shows.
type overview struct {
	registry Registry
	log      Log
	groups   StatusGroups
	did      string
	now      func() time.Time
}

// maxSearched bounds how many issuers a search looks at.
const maxSearched = 5000

// Overview implements ui.Registry.
func (o overview) Overview(ctx context.Context, q string) (ui.Overview, error) {
	var out ui.Overview
	for _, gather := range []func(context.Context, string, *ui.Overview) error{o.issuers, o.artefacts, o.lists, o.checkpoint} {
		if err := gather(ctx, q, &out); err != nil {
			return ui.Overview{}, fmt.Errorf("overview: %w", err)
		}
	}
	return out, nil
}

// SnapshotKeys implements ui.Registry.
func (o overview) SnapshotKeys(ctx context.Context) ([]string, error) {
	intervals, err := o.registry.KeyIntervals(ctx, o.did, o.now())
	if err != nil {
		return nil, fmt.Errorf("snapshot keys: %w", err)
	}
	var out []string
	for _, k := range intervals {
		if k.Kind == trust.KindSnapshot && k.Revoked.IsZero() {
			out = append(out, "did:key:"+k.PublicKeyMultibase)
		}
	}
	return out, nil
}

// fits reports whether one of the texts holds the words that were looked for, whatever their case.
func fits(q string, texts ...string) bool {
	q = strings.ToLower(strings.TrimSpace(q))
	return slices.ContainsFunc(texts, func(t string) bool { return strings.Contains(strings.ToLower(t), q) })
}

func (o overview) issuers(ctx context.Context, q string, out *ui.Overview) error {
	after := ""
	for seen := 0; seen < maxSearched && len(out.Issuers) < maxShown; {
		found, next, err := o.registry.Issuers(ctx, registry.IssuerQuery{After: after, Limit: maxShown})
		if err != nil {
			return err
		}
		for _, i := range found {
			texts := []string{i.DID, i.Name}
			for _, a := range i.Authorities {
				texts = append(texts, a.Resource)
			}
			if !fits(q, texts...) || len(out.Issuers) == maxShown {
				continue
			}
			view, err := o.issuer(ctx, i.DID, i.Name, i.Authorities)
			if err != nil {
				return err
			}
			out.Issuers = append(out.Issuers, view)
		}
		if seen, after = seen+len(found), next; next == "" {
			return nil
		}
	}
	return nil
}

// issuer gathers one issuer with its authorities and keys.
func (o overview) issuer(ctx context.Context, did, name string, authorities []registry.Authority) (ui.IssuerOverview, error) {
	now := o.now()
	view := ui.IssuerOverview{DID: did, Name: name, Status: string(registry.Withdrawn)}
	for _, a := range authorities {
		status := authorityStatus(a, now)
		if status == string(registry.Active) {
			backed, err := o.registry.Backed(ctx, a)
			if err != nil {
				return ui.IssuerOverview{}, fmt.Errorf("issuer page: %w", err)
			}
			if !backed {
				status = unbacked
			}
		}
		view.Authorities = append(view.Authorities, ui.AuthorityOverview{
			By: a.Authority, Action: a.Action, Resource: a.Resource, Framework: a.Framework, Levels: a.Levels, From: a.ValidFrom,
			Until: a.ValidUntil, Since: a.Since, Reason: a.Reason, Control: a.ControlMethod, LogIndex: a.Log, Status: status,
		})
		if status == string(registry.Active) || (status == string(registry.Suspended) || status == unbacked) && view.Status != string(registry.Active) {
			view.Status = status
		}
	}
	intervals, err := o.registry.KeyIntervals(ctx, did, time.Time{})
	if err != nil {
		return ui.IssuerOverview{}, err
	}
	for _, k := range intervals {
		view.Keys = append(view.Keys, keyOverview(k, now))
	}
	return view, nil
}

// Issuer implements ui.Registry.
func (o overview) Issuer(ctx context.Context, did string) (ui.IssuerOverview, error) {
	authorities, err := o.registry.AuthoritiesOf(ctx, did, time.Time{})
	if err != nil {
		return ui.IssuerOverview{}, fmt.Errorf("issuer page: %w", err)
	}
	if len(authorities) == 0 {
		return ui.IssuerOverview{}, fmt.Errorf("issuer page: %w", registry.ErrNotFound)
	}
	return o.issuer(ctx, did, authorities[len(authorities)-1].Name, authorities)
}

// LogEntries implements ui.Registry.
func (o overview) LogEntries(ctx context.Context, first uint64, limit int) ([][]byte, error) {
	return o.log.Entries(ctx, first, limit)
}

// LogProof implements ui.Registry.
func (o overview) LogProof(ctx context.Context, index uint64) (schemas.LogProof, error) {
	return o.log.InclusionProof(ctx, index)
}

// LogState implements ui.Registry.
func (o overview) LogState(ctx context.Context) (ui.LogOverview, error) {
	var out ui.Overview
	if err := o.checkpoint(ctx, "", &out); err != nil {
		return ui.LogOverview{}, fmt.Errorf("log page: %w", err)
	}
	out.Log.Keys = o.log.VerifierKeys()
	return out.Log, nil
}

// authorityStatus adds to the recorded status what the dates say.
// unbacked is the status of an authority whose granting body is not accredited now.
const unbacked = "unbacked"

func authorityStatus(a registry.Authority, now time.Time) string {
	switch {
	case a.Status != registry.Active:
		return string(a.Status)
	case now.Before(a.ValidFrom):
		return "planned"
	case !a.ValidUntil.IsZero() && !now.Before(a.ValidUntil):
		return "expired"
	}
	return string(registry.Active)
}

func keyOverview(k registry.KeyInterval, now time.Time) ui.KeyOverview {
	view := ui.KeyOverview{Method: k.Method, Multibase: k.PublicKeyMultibase, Kind: k.Kind, From: k.From, Until: k.Until, Reason: k.Reason, LogIndex: k.LogIndex}
	switch {
	case !k.Revoked.IsZero():
		view.Status, view.Until = registry.KeyRevoked, k.Revoked
	case now.Before(k.From):
		view.Status = "planned"
	case !k.Until.IsZero() && !now.Before(k.Until):
		view.Status = registry.KeyRetired
	default:
		view.Status = registry.KeyActive
	}
	return view
}

func (o overview) artefacts(ctx context.Context, q string, out *ui.Overview) error {
	for _, kind := range registry.Kinds() {
		found, err := o.registry.Artefacts(ctx, kind, "", maxShown)
		if err != nil {
			return err
		}
		for _, a := range found {
			if !fits(q, string(a.Kind)+"/"+a.Name) {
				continue
			}
			out.Artifacts = append(out.Artifacts, ui.ArtifactOverview{
				Kind: string(a.Kind), Path: "/" + string(a.Kind) + "/" + a.Name, Digest: a.SRI,
			})
		}
	}
	return nil
}

func (o overview) lists(ctx context.Context, _ string, out *ui.Overview) error {
	groups, err := o.groups.Groups(ctx)
	if err != nil {
		return err
	}
	for _, g := range groups[:min(len(groups), maxShown)] {
		for _, purpose := range append(slices.Clone(g.Purposes), schemas.PurposeToken) {
			_, version, err := o.registry.StatusList(ctx, g.Group, purpose, time.Time{})
			if errors.Is(err, registry.ErrNotFound) || errors.Is(err, registry.ErrUnavailable) {
				continue
			}
			if err != nil {
				return err
			}
			out.Lists = append(out.Lists, ui.ListOverview{
				Path: "/status/" + string(g.Group) + "/" + purpose, Purpose: purpose, Version: version,
			})
		}
	}
	return nil
}

func (o overview) checkpoint(ctx context.Context, _ string, out *ui.Overview) error {
	file, err := o.log.File(ctx, "checkpoint")
	if errors.Is(err, translog.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	size, err := o.log.Size(ctx)
	if err != nil {
		return err
	}
	out.Log = ui.LogOverview{Size: size, Note: strings.TrimSpace(string(file.Data))}
	return nil
}
