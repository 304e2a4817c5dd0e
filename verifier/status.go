package verifier

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"

	"heartmark/internal/statuslist"
	"heartmark/schemas"
)

// Status purposes of Bitstring Status List 1.0, 2.1.
const (
	purposeRevocation = "revocation"
	purposeSuspension = "suspension"
	purposeRefresh    = "refresh"
	purposeMessage    = "message"
)

// maxStatusEntries bounds the lists that one credential can make us fetch.
const maxStatusEntries = 10

// status checks every entry of credentialStatus (security.md R6): one finding each, and nothing that was not understood
// counts as good.
func (r *run) status(ctx context.Context, issuer string) {
	found := entries(r.doc, "credentialStatus")
	if len(found) == 0 {
		r.add("status_none", "")
		return
	}
	if len(found) > maxStatusEntries {
		r.add("status_malformed", "/credentialStatus").say("too many entries")
		return
	}
	for _, e := range found {
		if text(e.value, "type") != schemas.TypeStatusEntry {
			r.add("status_type_unknown", e.pointer+"/type").say(shorten(text(e.value, "type")))
			continue
		}
		s, err := readStatusEntry(e)
		if err != nil {
			code := "status_malformed"
			if errors.Is(err, statuslist.ErrRange) {
				code = "status_range"
			}
			r.addField(code, err).about(text(e.value, "statusPurpose"))
			continue
		}
		r.statusEntry(ctx, s, issuer)
	}
}

// statusEntry is a credentialStatus entry that was read (Bitstring Status List 1.0, 2.1).
type statusEntry struct {
	pointer  string
	purpose  string
	index    uint64
	list     string
	size     int
	messages map[string]string // by value as 0x…, for entries of more than one bit
}

func readStatusEntry(e entry) (statusEntry, error) {
	fault := func(member, expected string, err error) error {
		return &schemas.FieldError{Pointer: e.pointer + "/" + member, Expected: expected, Err: err}
	}
	s := statusEntry{pointer: e.pointer, purpose: text(e.value, "statusPurpose"), list: text(e.value, "statusListCredential"), size: 1}
	if s.purpose == "" {
		return s, fault("statusPurpose", "a purpose", schemas.ErrMalformed)
	}
	index, ok := e.value["statusListIndex"].(string)
	if !ok {
		return s, fault("statusListIndex", "a whole number as a string", schemas.ErrMalformed)
	}
	var err error
	if s.index, err = statuslist.ParseIndex(index); err != nil {
		return s, fault("statusListIndex", "a whole number as a string, in base 10", err)
	}
	if !schemas.IsURL(s.list) {
		return s, fault("statusListCredential", "the list's URL", schemas.ErrMalformed)
	}
	if e.value["id"] == s.list {
		return s, fault("id", "an id other than the list's URL", schemas.ErrMalformed)
	}
	if size, present := e.value["statusSize"]; present {
		n, _ := size.(json.Number)
		s.size, err = strconv.Atoi(n.String())
		if err != nil || s.size < 1 || s.size > 8 {
			return s, fault("statusSize", "a number of bits from 1 to 8", schemas.ErrMalformed)
		}
	}
	if s.size > 1 || s.purpose == purposeMessage {
		s.messages = map[string]string{}
		for _, m := range entries(e.value, "statusMessage") {
			s.messages[text(m.value, "status")] = text(m.value, "message")
		}
		if len(s.messages) != 1<<s.size {
			return s, fault("statusMessage", "a message for each value", schemas.ErrMalformed)
		}
	}
	return s, nil
}

func (r *run) statusEntry(ctx context.Context, s statusEntry, issuer string) {
	held, evidence, fault := r.v.statusList(ctx, listQuery{url: s.list, since: r.in.Since, issuer: issuer}, r.policy, r.now)
	if fault != nil {
		c := r.add(fault.code, s.pointer).about(s.purpose).rest(evidence)
		if fault.detail != "" {
			c.say(fault.detail)
		}
		return
	}
	note := func(code string) *Check { return r.add(code, s.pointer).about(s.purpose).rest(evidence) }
	if !held.hasPurpose(s.purpose) {
		note("status_verification").say("the list is for another purpose")
		return
	}
	bits, err := held.bits.WithSize(s.size)
	if err != nil {
		note("status_malformed").say("the list cannot be read with entries of this size")
		return
	}
	if err := bits.CheckLength(); err != nil {
		note("status_list_length")
		return
	}
	value, err := bits.Get(s.index)
	if err != nil {
		note("status_range")
		return
	}
	message := s.messages["0x"+strconv.FormatUint(uint64(value), 16)]
	switch {
	case s.purpose == purposeMessage:
		note("status_message").say(shorten(message))
	case value == 0:
		note("status_ok")
	case s.purpose == purposeRevocation:
		note("status_revoked")
	case s.purpose == purposeSuspension:
		note("status_suspended")
	case s.purpose == purposeRefresh:
		note("status_refresh")
	default:
		note("status_purpose_unknown").say(shorten(s.purpose))
	}
}
