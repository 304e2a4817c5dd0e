package verifier

import (
	"context"
	"encoding/json"
	"errors"
	"strconv"
	"strings"
	"time"

	"heartmark/internal/proof/jose"
	"heartmark/internal/statuslist"
	"heartmark/schemas"
)

// typeStatusToken is typ of a status list token (Token Status List, 5.1).
const typeStatusToken = "statuslist+jwt"

// tokenStatus checks the status claim of an SD-JWT VC (Token Status List, 8.3). What is not understood is not good.
func (r *run) tokenStatus(ctx context.Context, issuer string) {
	if status := object(r.doc, "status"); status != nil && (len(status) != 1 || status["status_list"] == nil) {
		r.add("status_type_unknown", "/status")
		return
	}
	entry, present, err := schemas.ParseTokenStatus(r.doc)
	switch {
	case err != nil:
		r.addField("status_malformed", err)
		return
	case !present:
		r.add("status_none", "")
		return
	}
	held, evidence, fault := r.v.statusList(ctx, listQuery{url: entry.URI, since: r.in.Since, issuer: issuer, tokens: true}, r.policy, r.now)
	note := func(code string) *Check { return r.add(code, "/status/status_list").rest(evidence) }
	if fault != nil {
		if c := note(fault.code); fault.detail != "" {
			c.say(fault.detail)
		}
		return
	}
	if err := held.tokens.CheckLength(); err != nil {
		note("status_list_length")
		return
	}
	value, err := held.tokens.Get(entry.Index)
	if err != nil {
		note("status_range")
		return
	}
	switch value {
	case statuslist.TokenValid:
		note("status_ok")
	case statuslist.TokenInvalid:
		note("status_revoked")
	case statuslist.TokenSuspended:
		note("status_suspended")
	default:
		note("status_purpose_unknown").say("value " + strconv.Itoa(int(value)))
	}
}

// openTokens verifies a status list token and opens its bits (Token Status List, 5.1 and 8.3). Its key is the one of the
// issuer, or of a delegate, that kid names; a key that the token brings along is not looked at.
func (v *Verifier) openTokens(ctx context.Context, data []byte, q listQuery, now time.Time) (*heldList, *listFault) {
	refuse := func(detail string) (*heldList, *listFault) {
		return nil, &listFault{"status_verification", detail}
	}
	token, err := jose.ParseUpTo(string(data), maxListPacked)
	switch {
	case errors.Is(err, jose.ErrAlgorithm):
		return refuse("the list's algorithm is not allowed")
	case err != nil:
		return nil, &listFault{"status_retrieval", "what came is no status list token"}
	case token.Header.Typ != typeStatusToken:
		return refuse("what came is no status list token")
	}
	claims, err := token.Claims()
	if err != nil {
		return refuse("the list's claims cannot be read")
	}
	method := token.Header.Kid
	h, fault := readTokenClaims(claims, q.url, now)
	if fault != nil {
		return nil, fault
	}
	h.issuer, _, _ = strings.Cut(method, "#")
	if iss, present := claims["iss"]; present && iss != h.issuer {
		return refuse("the list's key belongs to another than the one named")
	}
	if !v.mayReport(ctx, h.issuer, q.issuer, now) { // before its key is looked up: a stranger's list costs no request
		return refuse("the list is issued by another than the credential's issuer")
	}
	key, err := v.cfg.Keys.Key(ctx, KeyQuery{Controller: h.issuer, Method: method, Purpose: purposeAssertion, Network: true})
	if err != nil {
		return refuse("the list's key could not be had")
	}
	if err := token.Verify(key.Public); err != nil {
		return refuse("the list's signature does not verify")
	}
	return h, h.openTokens(object(claims, "status_list"))
}

// readTokenClaims checks what the list says of itself: sub is its address, iat and exp its time, ttl is in seconds.
func readTokenClaims(claims map[string]any, url string, now time.Time) (*heldList, *listFault) {
	refuse := func(detail string) (*heldList, *listFault) {
		return nil, &listFault{"status_verification", detail}
	}
	if claims["sub"] != url {
		return refuse("the list is for another address")
	}
	h := &heldList{ttl: listTTL, verifiedAt: now}
	var err error
	if h.validFrom, err = schemas.ParseNumericDate(claims["iat"]); err != nil || h.validFrom.After(now.Add(closedPolicy().Skew)) {
		return refuse("the list is dated in the future, or not at all")
	}
	if exp, present := claims["exp"]; present {
		if h.validUntil, err = schemas.ParseNumericDate(exp); err != nil || h.expired(now) {
			return refuse("the list has expired")
		}
	}
	if ttl, present := claims["ttl"]; present {
		n, _ := ttl.(json.Number)
		seconds, err := strconv.ParseUint(n.String(), 10, 31)
		if err != nil || seconds == 0 {
			return refuse("the list's ttl is not a number of seconds")
		}
		h.ttl = min(time.Duration(seconds)*time.Second, listTTL)
	}
	return h, nil
}

func (h *heldList) openTokens(list map[string]any) *listFault {
	n, _ := list["bits"].(json.Number)
	size, err := strconv.Atoi(n.String())
	if err != nil {
		return &listFault{"status_malformed", "the list does not say how many bits an entry has"}
	}
	h.tokens, err = statuslist.DecodeTokens(text(list, "lst"), size, maxListOpened)
	switch {
	case errors.Is(err, statuslist.ErrTooLarge):
		return &listFault{"status_verification", "the list opens to more than allowed"}
	case err != nil:
		return &listFault{"status_malformed", "the list's bits cannot be read"}
	}
	return nil
}
