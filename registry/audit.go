package registry

import (
	"bytes"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"heartmark/registry/translog/inclusion"
	"heartmark/schemas"
	"heartmark/schemas/trust"
)

// maxDifferences bounds what an audit lists; the rest is counted.
const maxDifferences = 100

// Audit compares a registry's log, entry by entry, with what the registry says now (its signed snapshot). Make one with
// NewAudit, give it every entry in order, and ask for Differences.
type Audit struct {
	contents trust.Contents
	// said are the statements of the snapshot by the leaf that each must have in the log.
	said map[string]string
	// size is that of the log under the snapshot's checkpoint, which was read before everything else in it.
	size uint64
	// lists are the digests of the newest version of each status list in the log before the snapshot; recent are those
	// logged afterwards, any of which it may hold.
	lists  map[string]string
	recent map[string][]string
	// later counts the entries that were recorded and logged after the snapshot was made.
	later       int
	entries     map[string]int
	differences []string
	more        int
}

// NewAudit takes the registry's side.
func NewAudit(s *trust.Snapshot) (*Audit, error) {
	a := &Audit{contents: s.Contents(), said: map[string]string{}, lists: map[string]string{}, recent: map[string][]string{}, entries: map[string]int{}}
	checkpoint, keys := s.Checkpoint()
	head, err := inclusion.ParseCheckpoint([]byte(checkpoint), keys...)
	if err != nil {
		return nil, fmt.Errorf("checkpoint of the snapshot: %w", err)
	}
	a.size = head.Size
	for _, rec := range a.contents.Authorities {
		p, err := authorityEntry(rec)
		if err != nil {
			return nil, err
		}
		a.said[p.Leaf] = fmt.Sprintf("authority %s version %d", rec.ID, rec.Version)
	}
	for _, k := range a.contents.Keys {
		p, err := keyEntry(k)
		if err != nil {
			return nil, err
		}
		a.said[p.Leaf] = fmt.Sprintf("key %s version %d", k.Method, k.Version)
	}
	for _, d := range a.contents.Artefacts {
		p, err := artefactEntry(a.contents.Origin, d)
		if err != nil {
			return nil, err
		}
		a.said[p.Leaf] = string(d.Kind) + "/" + d.Name
	}
	return a, nil
}

// Entry takes the next entry of the log. It returns an error for none: what cannot be read is a difference.
func (a *Audit) Entry(index uint64, entry []byte) error {
	var e struct {
		schemas.LogEntry
		Commitment string `json:"commitment"`
	}
	if err := json.Unmarshal(entry, &e); err != nil {
		a.differ("log entry %d is not a statement", index)
		return nil //nolint:nilerr // it is reported
	}
	a.entries[e.Kind]++
	again := e.LogEntry
	if e.Kind == schemas.LogIssued {
		again.Digest = e.Commitment
	}
	if !bytes.Equal(again.Encode(), entry) {
		a.differ("log entry %d is not in the form that registries write", index)
	}
	switch e.Kind {
	case schemas.LogIssued:
	case schemas.LogStatusList:
		var version struct {
			SHA256 string `json:"sha256"`
		}
		if err := json.Unmarshal(e.Data, &version); err != nil {
			a.differ("log entry %d has no digest of a list", index)
		} else if a.after(index, e.At) {
			a.recent[e.Subject] = append(a.recent[e.Subject], version.SHA256)
		} else {
			a.lists[e.Subject] = version.SHA256
		}
	default:
		leaf := sha256Hex(entry)
		if _, ok := a.said[leaf]; ok {
			delete(a.said, leaf)
		} else if a.after(index, e.At) {
			a.later++
		} else {
			a.differ("log entry %d (%s of %s, %s) is not among the registry's statements", index, e.Kind, e.Subject, e.At)
		}
	}
	return nil
}

// after reports whether an entry is newer than the snapshot, by its place in the log and by the time that it states: what
// stands under the snapshot's checkpoint is no news, whatever time it names. Entries state whole seconds.
func (a *Audit) after(index uint64, at string) bool {
	t, err := schemas.ParseTime(at)
	return index >= a.size && err == nil && !t.Before(a.contents.Created.Truncate(time.Second))
}

func (a *Audit) differ(format string, args ...any) {
	if len(a.differences) == maxDifferences {
		a.more++
		return
	}
	a.differences = append(a.differences, fmt.Sprintf(format, args...))
}

// AuditReport is what an audit found.
type AuditReport struct {
	// Entries counts the entries of the log by kind.
	Entries map[string]int `json:"entries"`
	// Later counts statements that are newer than the snapshot.
	Later int `json:"later"`
	// Differences say what registry and log do not agree about; none in a sound registry.
	Differences []string `json:"differences"`
}

// Report finishes the audit: what the registry says must have been found in the log.
func (a *Audit) Report() AuditReport {
	for _, what := range a.said {
		a.differ("%s is not in the log", what)
	}
	for url, document := range a.contents.StatusLists {
		logged, ok := a.lists[url]
		digest := sha256Hex([]byte(document))
		switch {
		case !ok && len(a.recent[url]) == 0:
			a.differ("status list %s is not in the log", url)
		case logged != digest && !slices.Contains(a.recent[url], digest):
			a.differ("status list %s is not the version that the log names", url)
		}
	}
	if a.more > 0 {
		a.differences = append(a.differences, fmt.Sprintf("and %d more", a.more))
	}
	return AuditReport{Entries: a.entries, Later: a.later, Differences: append([]string{}, a.differences...)}
}
