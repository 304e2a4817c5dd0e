package oid4vci

import (
	"context"
	"crypto"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"net/url"
	"slices"
	"strings"
	"time"

	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
	"heartmark/schemas"
)

// Client is a wallet that is registered here.
type Client struct {
	ID string
	// RedirectURIs are compared byte for byte.
	RedirectURIs []string
}

// Attester is a maker of wallets, or of their key storage, whose attestations are believed.
type Attester struct {
	// Issuer is the iss of its attestations.
	Issuer string
	Keys   []crypto.PublicKey
}

// Demand says whether something must be there.
type Demand string

// The demands. The zero value is Optional.
const (
	Optional Demand = ""
	Required Demand = "required"
)

// Wallets is what is asked of wallets, beyond what the protocol asks.
type Wallets struct {
	// Clients, where there are any, are the only wallets without an attestation that may use the authorisation code flow.
	Clients []Client
	// Attesters are believed about wallets and keys. Without them no attestation is taken.
	Attesters []Attester
	// Attestation asks for a wallet attestation at PAR and token endpoint, DPoP for sender-bound tokens.
	Attestation, DPoP Demand
	// KeyAttestation asks for a key attestation in each proof; KeyStorage and UserAuthentication then name the levels of which
	// it must claim one each (Appendix D.2), where they are not empty.
	KeyAttestation                 Demand
	KeyStorage, UserAuthentication []string
}

// faults are the faults of the settings.
func (w Wallets) faults() []error {
	var faults []error
	for _, c := range w.Clients {
		if c.ID == "" || len(c.RedirectURIs) == 0 {
			faults = append(faults, fmt.Errorf("wallet client %q: expected an id and redirect addresses", c.ID))
		}
		for _, address := range c.RedirectURIs {
			if (client{}).mayReturnTo(address) != nil {
				faults = append(faults, fmt.Errorf("wallet client %q: %q is no redirect address", c.ID, address))
			}
		}
	}
	for _, a := range w.Attesters {
		if a.Issuer == "" || len(a.Keys) == 0 {
			faults = append(faults, fmt.Errorf("attester %q: expected an issuer and keys", a.Issuer))
		}
	}
	for name, d := range map[string]Demand{"attestation": w.Attestation, "dpop": w.DPoP, "key attestation": w.KeyAttestation} {
		if d != Optional && d != Required {
			faults = append(faults, fmt.Errorf("%s: %q is neither empty nor required", name, d))
		}
	}
	if (w.Attestation == Required || w.KeyAttestation == Required) && len(w.Attesters) == 0 {
		faults = append(faults, errors.New("attestations are required and no attester is trusted"))
	}
	return faults
}

// ClientAssertion is how a wallet authenticates: all values of OAuth-Client-Attestation and of
// OAuth-Client-Attestation-PoP.
type ClientAssertion struct{ Attestation, Proof []string }

// client is who calls the authorisation server. id is "" for an anonymous wallet, key the thumbprint of an attested one.
type client struct {
	id, key    string
	registered *Client
}

const (
	attestationType      = "oauth-client-attestation+jwt"
	attestationProofType = "oauth-client-attestation-pop+jwt"
	maxAttestation       = 32 << 10
	maxClientID          = 512
	maxRedirectURI       = 2048
)

// client finds out who calls: by its attestation (attestation-based client authentication), or by the name it gives
// itself, which is then only a name.
func (s *Service) client(ctx context.Context, tenant, clientID string, a ClientAssertion) (client, error) {
	if len(clientID) > maxClientID || clientID != visible(clientID) {
		return client{}, fail(CodeInvalidRequest, "client_id: expected printable ASCII of at most 512 characters")
	}
	if len(a.Attestation)+len(a.Proof) == 0 {
		if s.c.Wallets.Attestation == Required {
			return client{}, badClient("a wallet attestation is required")
		}
		return client{id: clientID, registered: s.registered(clientID)}, nil
	}
	if len(a.Attestation) != 1 || len(a.Proof) != 1 {
		return client{}, badClient("expected one wallet attestation with one proof of possession")
	}
	claims, err := s.attestation(a.Attestation[0], []string{attestationType})
	if err != nil {
		return client{}, badClient("the wallet attestation is not good: " + err.Error())
	}
	if _, ends := claims["exp"]; !ends {
		return client{}, badClient("the wallet attestation has no exp")
	}
	id, _ := claims["sub"].(string)
	if id == "" || clientID != "" && id != clientID {
		return client{}, badClient("the wallet attestation is for another client_id")
	}
	confirmation, _ := claims["cnf"].(map[string]any)
	pub, key, err := attestedKey(confirmation["jwk"])
	if err != nil {
		return client{}, badClient("the wallet attestation names no key that we take")
	}
	if err := s.checkPossession(ctx, tenant, id, key, pub, a.Proof[0]); err != nil {
		return client{}, err
	}
	return client{id: id, key: key, registered: s.registered(id)}, nil
}

func (s *Service) registered(id string) *Client {
	for n := range s.c.Wallets.Clients {
		if s.c.Wallets.Clients[n].ID == id {
			return &s.c.Wallets.Clients[n]
		}
	}
	return nil
}

// checkPossession checks the proof that the caller holds the attested key.
func (s *Service) checkPossession(ctx context.Context, tenant, id, key string, pub crypto.PublicKey, compact string) error {
	token, err := jose.Parse(compact)
	if err != nil || len(compact) > maxAttestation || token.Header.Typ != attestationProofType || token.Verify(pub) != nil {
		return badClient("the proof of possession is not by the attested key")
	}
	claims, err := token.Claims()
	if err != nil {
		return badClient("the proof of possession is no JSON object")
	}
	now := s.now()
	if iss, present := claims["iss"]; present && iss != id {
		return badClient("the proof of possession is of another client")
	}
	if !audienceIs(claims["aud"], s.IssuerID(tenant)) {
		return badClient("the proof of possession is for another server")
	}
	iat, ok := unixTime(claims["iat"])
	if !ok || iat.After(now.Add(clockSkew)) || iat.Before(now.Add(-maxDPoPAge)) || !inPeriod(claims, now) {
		return badClient("the proof of possession is not of the present")
	}
	challenge, present := claims["challenge"]
	if !present {
		challenge, present = claims["nonce"] // its name in earlier drafts
	}
	if text, _ := challenge.(string); present {
		if _, ok := s.checkNonce(nonceAttestation, tenant, text, now); !ok {
			e := badClient("the challenge is unknown or expired")
			e.Code, e.AttestationChallenge = CodeUseAttestationChallenge, s.newNonce(nonceAttestation, tenant)
			return e
		}
	}
	jti, _ := claims["jti"].(string)
	if jti == "" || len(jti) > maxJTI {
		return badClient("the proof of possession has no jti")
	}
	fresh, err := s.useProof(ctx, nonceAttestation, key, jti, now.Add(maxDPoPAge+2*clockSkew))
	if err != nil {
		return err
	}
	if !fresh {
		return badClient("the proof of possession was used before")
	}
	return nil
}

// attestation reads a token that one of the attesters signed, of one of the given types, and checks its period. The error
// is a sentence for the wallet.
func (s *Service) attestation(compact string, types []string) (map[string]any, error) {
	token, err := jose.Parse(compact)
	if err != nil || len(compact) > maxAttestation {
		return nil, attestationFault("it is no compact JWS with an algorithm that we take")
	}
	if !slices.Contains(types, token.Header.Typ) {
		return nil, attestationFault("typ is not " + types[0])
	}
	claims, err := token.Claims()
	if err != nil {
		return nil, attestationFault("the payload is no JSON object")
	}
	iss, hasIssuer := claims["iss"]
	trusted := slices.ContainsFunc(s.c.Wallets.Attesters, func(a Attester) bool {
		return (!hasIssuer || iss == a.Issuer) && slices.ContainsFunc(a.Keys, func(k crypto.PublicKey) bool { return token.Verify(k) == nil })
	})
	if !trusted {
		return nil, attestationFault("nobody whom we trust signed it")
	}
	if !inPeriod(claims, s.now()) {
		return nil, attestationFault("it is not valid now")
	}
	return claims, nil
}

type attestationFault string

func (f attestationFault) Error() string { return string(f) }

// inPeriod checks exp, nbf and iat where they are there.
func inPeriod(claims map[string]any, now time.Time) bool {
	for name, good := range map[string]func(t time.Time) bool{
		"exp": func(t time.Time) bool { return now.Before(t.Add(clockSkew)) },
		"nbf": func(t time.Time) bool { return !t.After(now.Add(clockSkew)) },
		"iat": func(t time.Time) bool { return !t.After(now.Add(clockSkew)) },
	} {
		if v, present := claims[name]; present {
			if t, ok := unixTime(v); !ok || !good(t) {
				return false
			}
		}
	}
	return true
}

// attestedKey reads a JWK out of an attestation and returns it with its thumbprint.
func attestedKey(v any) (crypto.PublicKey, string, error) {
	raw, err := schemas.Marshal(v)
	if err != nil {
		return nil, "", err
	}
	pub, err := keys.ParseJWK(json.RawMessage(raw))
	if err != nil {
		return nil, "", err
	}
	least, err := keys.MarshalJWK(pub)
	return pub, thumbprint(least), err
}

// mayReturnTo checks a redirect address: one that is registered, byte for byte; for a wallet that is not registered, one
// that no other site can take for its own: https, http on loopback (RFC 8252, 7.3), or the scheme of an app.
func (c client) mayReturnTo(address string) error {
	bad := fail(CodeInvalidRequest, "redirect_uri is missing or not one that we send people to")
	u, err := url.Parse(address)
	if err != nil || address == "" || len(address) > maxRedirectURI || address != visible(address) || strings.ContainsAny(address, " \"'\\<>`{}|^#") ||
		u.Fragment != "" || u.User != nil {
		return bad
	}
	if c.registered != nil {
		if !slices.Contains(c.registered.RedirectURIs, address) {
			return bad
		}
		return nil
	}
	switch u.Scheme {
	case "https":
		if plainHost(u.Host) {
			return nil
		}
	case "http":
		if ip := net.ParseIP(u.Hostname()); plainHost(u.Host) && (u.Hostname() == "localhost" || ip != nil && ip.IsLoopback()) {
			return nil
		}
	case "javascript", "data", "vbscript", "file", "blob", "about", "filesystem", "view-source", "ftp", "ws", "wss", "mailto", "tel", "sms", "":
	default:
		return nil
	}
	return bad
}

// plainHost reports whether a host can stand in a content security policy as it is.
func plainHost(host string) bool {
	return host != "" && !strings.ContainsFunc(host, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < 'A' || r > 'Z') && (r < '0' || r > '9') && !strings.ContainsRune(".-:[]", r)
	})
}

// returnTarget says in words where a redirect address leads, and as a source of a content security policy.
func returnTarget(address string) (words, source string) {
	u, err := url.Parse(address)
	if err != nil {
		return "", ""
	}
	if u.Scheme == "https" || u.Scheme == "http" {
		return u.Host, u.Scheme + "://" + u.Host
	}
	return u.Scheme + ":", u.Scheme + ":"
}
