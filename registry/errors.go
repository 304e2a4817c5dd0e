package registry

import "errors"

// Errors of this package. Whoever asks answers with the status in brackets.
var (
	// ErrNotFound: no such record, artefact, list or DID here (404).
	ErrNotFound = errors.New("not in the registry")
	// ErrConflict: other content stands already under this name and version, which never change (409).
	ErrConflict = errors.New("other content is published under this name and version")
	// ErrForbidden: the actor lacks the role (403).
	ErrForbidden = errors.New("actor lacks the role for this change")
	// ErrProof: the proof of control is missing, not for this registry and DID, used, expired or not signed by the DID's
	// key (400).
	ErrProof = errors.New("proof of control does not hold")
	// ErrInvalid: a field of the request is missing or has a form that is not allowed (400). The error is an
	// *schemas.FieldError that names it.
	ErrInvalid = errors.New("invalid value")
	// ErrConfusable: a name mixes scripts, has invisible characters or looks like another entity's (400).
	ErrConfusable = errors.New("name can be taken for another")
	// ErrPersonalData: what is to be published seems to hold data about a person (400).
	ErrPersonalData = errors.New("public records hold nothing about persons")
	// ErrLimits: a schema is larger, deeper or costlier than allowed, or refers outside (400).
	ErrLimits = errors.New("schema exceeds the limits")
	// ErrOverlap: an authority for the same entity, action and resource is in force in a part of that time already (409). The
	// error is an *schemas.FieldError that names the field.
	ErrOverlap = errors.New("authority overlaps another")
	// ErrWider: the accrediting body may not grant this: it is not accredited itself, or for less (409). The error is an
	// *schemas.FieldError that names the field.
	ErrWider = errors.New("grant goes beyond what the authority may grant")
	// ErrFinal: the record is withdrawn or revoked, which is for good (409).
	ErrFinal = errors.New("record is final")
	// ErrStale is returned by a Store when a version is not the last one plus one: another writer was faster. Read again
	// and try again; answer 503 when that does not end.
	ErrStale = errors.New("record changed meanwhile")
	// ErrRollback: the source of a status list is behind what was published, or takes a revocation back. The list is not
	// published; a person must look (503).
	ErrRollback = errors.New("status list would go back")
	// ErrUnavailable: the list on record is out of date and a new one could not be made (503).
	ErrUnavailable = errors.New("status list is not available now")
	// ErrLogBehind: the log has fewer entries than were marked as logged: it is not the log that belongs to this store.
	ErrLogBehind = errors.New("log is behind the registry")
)
