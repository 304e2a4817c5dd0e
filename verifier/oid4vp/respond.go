package oid4vp

import (
	"context"
	"crypto/ecdsa"
	"encoding/json"
	"fmt"
	"regexp"
	"slices"
	"strings"

	"heartmark/internal/proof/jose"
	"heartmark/schemas"
)

// Answer is what a wallet posts (OpenID4VP 1.0, 8.2, 8.3.1 and 8.5).
type Answer struct {
	// State and VPToken are those of a plain answer, Response the JWE of an encrypted one.
	State, VPToken, Response string
	// Error is the wallet's code where it presents nothing.
	Error string
}

// maxPresentations bounds the presentations of one answer (security.md, 3).
const maxPresentations = 20

var errorForm = regexp.MustCompile(`^[a-z_]{1,64}$`)

// Respond takes the answer at the request's address. It returns where the wallet sends the person, empty for nowhere.
// Errors for the wallet are *Error; those leave the session as it was.
func (s *Service) Respond(ctx context.Context, requestID string, a Answer) (redirect string, err error) {
	session, err := s.find(ctx, requestID)
	if err != nil {
		return "", err
	}
	if session.Flow == BrowserAPI || !answerable(session.stateAt(s.c.Now())) {
		return "", gone()
	}
	if a.Error != "" {
		if a.State != requestID {
			return "", refuse("state is not that of the request")
		}
		return s.decline(ctx, session, a.Error)
	}
	token, state, err := s.open(ctx, session, a)
	if err != nil {
		return "", err
	}
	if state != requestID {
		return "", refuse("state is not that of the request")
	}
	return s.accept(ctx, session, token, session.ClientID)
}

// RespondFromBrowser takes what navigator.credentials.get gave to a page of origin, for the tenant that asked (A.4). data is
// an object with vp_token, or with response.
func (s *Service) RespondFromBrowser(ctx context.Context, tenant, transactionID, origin string, data map[string]any) error {
	session, err := s.own(ctx, tenant, transactionID)
	if err != nil {
		return err
	}
	if session.Flow != BrowserAPI || !answerable(session.stateAt(s.c.Now())) {
		return ErrState
	}
	if !slices.Contains(session.Origins, origin) {
		return fault("/origin", "one of the expected origins")
	}
	var a Answer
	a.Response, _ = data["response"].(string)
	if code, failed := data["error"].(string); failed {
		_, err := s.decline(ctx, session, code)
		return err
	}
	if token, plain := data["vp_token"]; plain {
		raw, err := schemas.Marshal(token)
		if err != nil {
			return refuse("vp_token is no JSON")
		}
		a.VPToken = string(raw)
	}
	token, _, err := s.open(ctx, session, a)
	if err != nil {
		return err
	}
	_, err = s.accept(ctx, session, token, "origin:"+origin)
	return err
}

// answerable: a wallet answers what it has fetched, and by value what it was given.
func answerable(s State) bool { return s == StateRequested }

// open reads the vp_token of an answer in the form that was asked for: where it was to be encrypted, a plain one is an error
// (security case SEC-133).
func (s *Service) open(ctx context.Context, session Session, a Answer) (token map[string]any, state string, err error) {
	if session.SealedKey == nil {
		if a.Response != "" || a.VPToken == "" {
			return nil, "", refuse("vp_token is missing")
		}
		token, err := schemas.ParseObject([]byte(a.VPToken))
		if err != nil {
			return nil, "", refuse("vp_token is no JSON object")
		}
		return token, a.State, nil
	}
	if a.Response == "" || a.VPToken != "" {
		return nil, "", refuse("the answer must be encrypted")
	}
	key, err := s.openKey(ctx, session)
	if err != nil {
		return nil, "", err
	}
	plain, err := jose.Decrypt(a.Response, func(kid string) (*ecdsa.PrivateKey, bool) { return key, kid == keyID })
	if err != nil {
		return nil, "", refuse("the encrypted answer does not open")
	}
	payload, err := schemas.ParseObject(plain)
	if err != nil {
		return nil, "", refuse("the encrypted answer holds no JSON object")
	}
	token, ok := payload["vp_token"].(map[string]any)
	if !ok {
		return nil, "", refuse("the encrypted answer holds no vp_token")
	}
	state, _ = payload["state"].(string)
	return token, state, nil
}

func (s *Service) decline(ctx context.Context, session Session, code string) (string, error) {
	if !errorForm.MatchString(code) {
		return "", refuse("error is no error code")
	}
	if err := s.journal(ctx, AuditDecline, session, code); err != nil {
		return "", err
	}
	return s.end(ctx, session, func(stored *Session) { stored.State, stored.Declined = StateDeclined, code })
}

// end closes a session in one atomic act, and makes the response code of a same-device flow.
func (s *Service) end(ctx context.Context, session Session, change func(*Session)) (redirect string, err error) {
	code := ""
	if session.Flow == SameDevice {
		code = random()
	}
	err = s.c.Store.UpdateSession(ctx, session.ID, func(stored *Session) error {
		now := s.c.Now()
		if !answerable(stored.stateAt(now)) {
			return gone() // another answer was first
		}
		change(stored)
		stored.SealedKey = nil
		if code != "" {
			stored.ResponseCode, stored.ResponseCodeUntil = hashOf("code", code), now.Add(ResponseCodeLife)
		}
		return nil
	})
	if err != nil {
		return "", err
	}
	s.changes.tell(session.ID)
	if code == "" {
		return "", nil
	}
	return strings.Replace(session.RedirectTemplate, CodePlace, code, 1), nil
}

// accept judges a vp_token and stores the outcome.
func (s *Service) accept(ctx context.Context, session Session, token map[string]any, audience string) (string, error) {
	query, err := readQuery(session.Query)
	if err != nil {
		return "", fmt.Errorf("stored query: %w", err)
	}
	shown, err := readToken(token, query)
	if err != nil {
		return "", err
	}
	j := judgement{s: s, session: session, query: query, audience: audience}
	outcome, err := j.judge(ctx, shown)
	if err != nil {
		return "", err
	}
	raw, err := json.Marshal(outcome)
	if err != nil {
		return "", fmt.Errorf("outcome: %w", err)
	}
	sealed, err := s.c.Sealer.Seal(ctx, session.Tenant, sealResult, session.ID, raw)
	if err != nil {
		return "", err
	}
	if err := s.journal(ctx, AuditAnswer, session, string(outcome.Verdict)); err != nil {
		return "", err
	}
	return s.end(ctx, session, func(stored *Session) { stored.State, stored.SealedResult = StateReceived, sealed })
}

// presentation is one entry of a vp_token.
type presentation struct {
	query  CredentialQuery
	object map[string]any // for ldp_vc
	text   string         // for the others
}

// readToken holds the shape of a vp_token against the query, before any signature is looked at (8.1).
func readToken(token map[string]any, q Query) ([]presentation, error) {
	var out []presentation
	for id := range token {
		if _, known := q.credential(id); !known {
			return nil, refuse("vp_token has a member that the query does not name")
		}
	}
	for _, c := range q.Credentials {
		value, present := token[c.ID]
		if !present {
			continue
		}
		items, isArray := value.([]any)
		if !isArray || len(items) == 0 || (len(items) > 1 && !c.Multiple) {
			return nil, refuse("vp_token." + c.ID + ": expected an array with one presentation")
		}
		for _, item := range items {
			p := presentation{query: c}
			ok := false
			if c.Format == FormatLDP {
				p.object, ok = item.(map[string]any)
			} else {
				p.text, ok = item.(string)
			}
			if !ok {
				return nil, refuse("vp_token." + c.ID + ": the presentation is not of the format asked for")
			}
			out = append(out, p)
		}
	}
	if len(out) == 0 || len(out) > maxPresentations {
		return nil, refuse(fmt.Sprintf("vp_token: expected 1 to %d presentations", maxPresentations))
	}
	return out, nil
}
