package trust

import (
	"errors"
	"fmt"
	"strconv"
	"time"

	"heartmark/schemas"
)

// ErrAccreditation says that a chain of accreditation credentials does not lead to the root.
var ErrAccreditation = errors.New("accreditation does not lead to the root")

// Lineage returns the version of an authority that is in force at an instant and those of the bodies above it, up to the
// one by the root; nothing where it is not in force then.
func Lineage(root string, records Records, versions []Authority, at time.Time) ([]Authority, error) {
	return chain{root: root, records: records}.lineage(versions, at, 0)
}

func (c chain) lineage(versions []Authority, at time.Time, depth int) ([]Authority, error) {
	state, version := StateAt(versions, at)
	if state != StateInForce || depth == maxChain && version.Authority != c.root {
		return nil, nil
	}
	if version.Authority == c.root {
		return []Authority{version}, nil
	}
	parents, err := c.records(version.Authority)
	if err != nil {
		return nil, err
	}
	for _, parent := range ByID(parents) {
		if !parent[0].accredits(version) {
			continue
		}
		above, err := c.lineage(parent, at, depth+1)
		if err != nil || len(above) > 0 {
			return append([]Authority{version}, above...), err
		}
	}
	return nil, nil
}

// within reports whether levels are among those of the parent; none means all.
func within[L comparable](levels, parent []L) bool {
	if len(parent) == 0 {
		return true
	}
	if len(levels) == 0 {
		return false
	}
	for _, l := range levels {
		found := false
		for _, p := range parent {
			found = found || l == p
		}
		if !found {
			return false
		}
	}
	return true
}

// Accredited is what an accreditation credential says, taken by CheckAccreditation.
type Accredited struct {
	Entity, Action, Resource string
	Levels                   []schemas.Level // none means all
}

// CheckAccreditation walks from an accreditation credential over its chain to the root that the caller trusts, as of an
// instant: each link is good by verify (its proof, made by the root's key), in its period, points at the next, is about
// the same resource and no wider than the next, which lets its subject accredit. It returns ErrAccreditation.
func CheckAccreditation(root string, credential map[string]any, chain []map[string]any, at time.Time, verify func(map[string]any) error) (Accredited, error) {
	var first, below accreditation
	for i, doc := range append([]map[string]any{credential}, chain...) {
		if i > maxChain {
			return Accredited{}, fmt.Errorf("more than %d links: %w", maxChain, ErrAccreditation)
		}
		if err := verify(doc); err != nil {
			return Accredited{}, fmt.Errorf("link %d: %w: %w", i, ErrAccreditation, err)
		}
		link, err := readAccreditation(doc)
		if err != nil {
			return Accredited{}, fmt.Errorf("link %d: %w: %w", i, ErrAccreditation, err)
		}
		if link.issuer != root || at.Before(link.from) || !at.Before(link.until) {
			return Accredited{}, fmt.Errorf("link %d is not the root's, or not of that time: %w", i, ErrAccreditation)
		}
		switch {
		case i == 0:
			first = link
		case below.parent != link.id, below.by != link.Entity, link.Action != ActionEndorse, link.Resource != below.Resource, !within(below.Levels, link.Levels):
			return Accredited{}, fmt.Errorf("link %d does not cover the one below: %w", i, ErrAccreditation)
		}
		below = link
	}
	if below.by != root || below.parent != "" {
		return Accredited{}, fmt.Errorf("chain ends at %s: %w", below.by, ErrAccreditation)
	}
	return first.Accredited, nil
}

type accreditation struct {
	Accredited
	id, issuer, by, parent string
	from, until            time.Time
}

func readAccreditation(doc map[string]any) (a accreditation, err error) {
	subject, _ := doc["credentialSubject"].(map[string]any)
	about, _ := subject["accreditedFor"].(map[string]any)
	terms, _ := doc["termsOfUse"].(map[string]any)
	a.id, _ = doc["id"].(string)
	a.issuer, _ = doc["issuer"].(string)
	a.Entity, _ = subject["id"].(string)
	a.Action, _ = subject["accreditationAction"].(string)
	a.by, _ = subject["accreditedBy"].(string)
	a.Resource, _ = about["accreditedType"].(string)
	a.parent, _ = terms["parentAccreditation"].(string)
	if a.id == "" || a.issuer == "" || a.Entity == "" || a.Action == "" || a.by == "" || a.Resource == "" {
		return a, errors.New("not an accreditation")
	}
	from, _ := doc["validFrom"].(string)
	until, _ := doc["validUntil"].(string)
	if a.from, err = schemas.ParseTime(from); err != nil {
		return a, err
	}
	if a.until, err = schemas.ParseTime(until); err != nil {
		return a, err
	}
	levels, stated := about["accreditedLevel"]
	list, ok := levels.([]any)
	if stated && (!ok || len(list) == 0) {
		return a, errors.New("levels are not a list")
	}
	for _, item := range list {
		text, _ := item.(string)
		n, err := strconv.Atoi(text)
		if err != nil {
			return a, fmt.Errorf("level %q", text)
		}
		a.Levels = append(a.Levels, schemas.Level(n))
	}
	return a, nil
}
