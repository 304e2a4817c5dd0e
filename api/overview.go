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
)

// maxShown bounds how much of each kind the registry page lists; the plain reads have all of it.
const maxShown = 100

// overview gathers what the registry page shows.
type overview struct {
	registry Registry
	log      Log
	groups   StatusGroups
	now      func() time.Time
}

// Overview implements ui.Registry.
func (o overview) Overview(ctx context.Context) (ui.Overview, error) {
	var out ui.Overview
	for _, gather := range []func(context.Context, *ui.Overview) error{o.issuers, o.artefacts, o.lists, o.checkpoint} {
		if err := gather(ctx, &out); err != nil {
			return ui.Overview{}, fmt.Errorf("overview: %w", err)
		}
	}
	return out, nil
}

func (o overview) issuers(ctx context.Context, out *ui.Overview) error {
	issuers, _, err := o.registry.Issuers(ctx, registry.IssuerQuery{Limit: maxShown})
	if err != nil {
		return err
	}
	now := o.now()
	for _, i := range issuers {
		view := ui.IssuerOverview{DID: i.DID, Name: i.Name, Status: string(registry.Withdrawn)}
		for _, a := range i.Authorities {
			status := authorityStatus(a, now)
			view.Authorities = append(view.Authorities, ui.AuthorityOverview{
				Action: a.Action, Resource: a.Resource, Framework: a.Framework, Levels: a.Levels, From: a.ValidFrom, Until: a.ValidUntil,
				Status: status,
			})
			if status == string(registry.Active) || status == string(registry.Suspended) && view.Status != string(registry.Active) {
				view.Status = status
			}
		}
		intervals, err := o.registry.KeyIntervals(ctx, i.DID, time.Time{})
		if err != nil {
			return err
		}
		for _, k := range intervals {
			view.Keys = append(view.Keys, keyOverview(k, now))
		}
		out.Issuers = append(out.Issuers, view)
	}
	return nil
}

// authorityStatus adds to the recorded status what the dates say.
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
	view := ui.KeyOverview{Method: k.Method, Multibase: k.PublicKeyMultibase, Kind: k.Kind, From: k.From, Until: k.Until}
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

func (o overview) artefacts(ctx context.Context, out *ui.Overview) error {
	for _, kind := range registry.Kinds() {
		found, err := o.registry.Artefacts(ctx, kind, "", maxShown)
		if err != nil {
			return err
		}
		for _, a := range found {
			out.Artifacts = append(out.Artifacts, ui.ArtifactOverview{
				Kind: string(a.Kind), Path: "/" + string(a.Kind) + "/" + a.Name, Digest: a.SRI,
			})
		}
	}
	return nil
}

func (o overview) lists(ctx context.Context, out *ui.Overview) error {
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

func (o overview) checkpoint(ctx context.Context, out *ui.Overview) error {
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
