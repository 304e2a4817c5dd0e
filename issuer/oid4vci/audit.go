package oid4vci

import "time"

// Event is a word of the audit trail.
type Event string

// The events of this package, a closed list. Acts of the issuer's people are written before they are done.
const (
	EventOfferCreated  Event = "offer.created"
	EventOfferRevoked  Event = "offer.revoked"
	EventOfferReleased Event = "offer.released"
	EventOfferRefused  Event = "offer.refused"
	// EventOfferLocked: too many wrong transaction codes or accounts.
	EventOfferLocked Event = "offer.locked"
	// EventCodeReused and EventRefreshReused: a code or a refresh token came a second time; all tokens of the offer ended.
	EventCodeReused    Event = "code.reused"
	EventRefreshReused Event = "refresh.reused"
	// EventCodeStolen: a code came from another client, for another address or without its secret; it is void.
	EventCodeStolen Event = "code.stolen"
)

// AuditEvent is one entry.
type AuditEvent struct {
	At     time.Time
	Event  Event
	Tenant string
	// Offer is the offer's id.
	Offer string
	// Detail is what a person gave as a reason, or empty.
	Detail string
}
