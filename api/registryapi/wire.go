package registryapi

import (
	"encoding/json"
	"time"

	"heartmark/registry"
	"heartmark/schemas"
)

// Page is one page of a list; Next is the cursor of the next one.
type Page[T any] struct {
	Items []T    `json:"items"`
	Next  string `json:"next,omitempty"`
}

// AuthorityRecord is one authority as anyone may read it.
type AuthorityRecord struct {
	ID         string   `json:"id"`
	Version    uint64   `json:"version"`
	Entity     string   `json:"entity"`
	Name       string   `json:"name,omitempty"`
	Authority  string   `json:"authority"`
	Action     string   `json:"action"`
	Resource   string   `json:"resource"`
	Levels     []int    `json:"levels,omitempty"`
	Framework  string   `json:"framework,omitempty"`
	ValidFrom  string   `json:"validFrom"`
	ValidUntil string   `json:"validUntil,omitempty"`
	Status     string   `json:"status"`
	Since      string   `json:"since"`
	Reason     string   `json:"reason,omitempty"`
	Recorded   string   `json:"recorded"`
	Control    string   `json:"controlMethod,omitempty"`
	Flags      []string `json:"flags,omitempty"`
	Log        *LogRef  `json:"log,omitempty"`
}

// LogRef is where a statement stands in the log.
type LogRef struct {
	Index uint64 `json:"index"`
}

// IssuerRecord is an entity with its authorities.
type IssuerRecord struct {
	DID         string            `json:"did"`
	Name        string            `json:"name,omitempty"`
	Authorities []AuthorityRecord `json:"authorities"`
}

// KeyRecord is the time in which a key could sign.
type KeyRecord struct {
	DID                string  `json:"did"`
	Method             string  `json:"method"`
	Kind               string  `json:"kind"`
	PublicKeyMultibase string  `json:"publicKeyMultibase"`
	From               string  `json:"from"`
	Until              string  `json:"until,omitempty"`
	Revoked            string  `json:"revoked,omitempty"`
	Log                *LogRef `json:"log,omitempty"`
}

// ArtefactRecord is a published document without its bytes.
type ArtefactRecord struct {
	URL       string  `json:"url"`
	Name      string  `json:"name"`
	MediaType string  `json:"mediaType"`
	Size      int     `json:"size"`
	SHA256    string  `json:"sha256"`
	DigestSRI string  `json:"digestSRI"`
	Published string  `json:"published"`
	Log       *LogRef `json:"log,omitempty"`
}

// RegistryMetadata says what this registry is and speaks.
type RegistryMetadata struct {
	Registry  string            `json:"registry"`
	Origin    string            `json:"origin"`
	Protocols map[string]string `json:"protocols"`
	Actions   []string          `json:"actions"`
	Framework string            `json:"framework"`
	Log       LogMetadata       `json:"log"`
	Export    string            `json:"export"`
}

// LogMetadata tells where the log is and which keys sign it.
type LogMetadata struct {
	Checkpoint   string   `json:"checkpoint"`
	Tiles        string   `json:"tiles"`
	VerifierKeys []string `json:"verifierKeys"`
}

// Framework is the governance framework of this registry.
type Framework struct {
	ID    string            `json:"id"`
	Name  map[string]string `json:"name"`
	Rules []FrameworkRule   `json:"rules"`
}

// FrameworkRule is one rule in both languages.
type FrameworkRule struct {
	ID   string            `json:"id"`
	Text map[string]string `json:"text"`
}

// TRQPRequest is a query of TRQP 2.0.
type TRQPRequest struct {
	EntityID    string         `json:"entity_id"`
	AuthorityID string         `json:"authority_id"`
	Action      string         `json:"action"`
	Resource    string         `json:"resource"`
	Context     map[string]any `json:"context,omitempty"`
}

// TRQPAnswer answers it; Authorized is set by /trqp/authorization, Recognized by /trqp/recognition.
type TRQPAnswer struct {
	EntityID      string         `json:"entity_id"`
	AuthorityID   string         `json:"authority_id"`
	Action        string         `json:"action"`
	Resource      string         `json:"resource"`
	Authorized    *bool          `json:"authorized,omitempty"`
	Recognized    *bool          `json:"recognized,omitempty"`
	TimeRequested string         `json:"time_requested,omitempty"`
	TimeEvaluated string         `json:"time_evaluated"`
	Message       string         `json:"message,omitempty"`
	Context       map[string]any `json:"context,omitempty"`
}

func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return schemas.FormatTime(t)
}

func logRef(index *uint64) *LogRef {
	if index == nil {
		return nil
	}
	return &LogRef{*index}
}

func authorityRecord(a registry.Authority) AuthorityRecord {
	rec := AuthorityRecord{
		ID: a.ID, Version: a.Version, Entity: a.Entity, Name: a.Name, Authority: a.Authority, Action: a.Action, Resource: a.Resource,
		Framework: a.Framework, ValidFrom: instant(a.ValidFrom), ValidUntil: instant(a.ValidUntil), Status: string(a.Status),
		Since: instant(a.Since), Reason: a.Reason, Recorded: instant(a.Recorded), Control: a.ControlMethod, Flags: a.Flags,
		Log: logRef(a.Log),
	}
	for _, l := range a.Levels {
		rec.Levels = append(rec.Levels, int(l))
	}
	return rec
}

func authorityRecords(in []registry.Authority) []AuthorityRecord {
	out := make([]AuthorityRecord, 0, len(in))
	for _, a := range in {
		out = append(out, authorityRecord(a))
	}
	return out
}

// AccreditationRecord is an accreditation credential with those above it, up to the one by the registry.
type AccreditationRecord struct {
	Credential map[string]any   `json:"credential"`
	Chain      []map[string]any `json:"chain,omitempty"`
}

// EventRecord is one statement of the log as news. ID is its place in the log.
type EventRecord struct {
	ID      uint64          `json:"id"`
	Kind    string          `json:"kind"`
	Subject string          `json:"subject"`
	At      string          `json:"at"`
	Data    json.RawMessage `json:"data"`
}
