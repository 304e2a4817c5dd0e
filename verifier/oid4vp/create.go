package oid4vp

import (
	"context"
	"crypto/ecdsa"
	"crypto/x509"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"heartmark/internal/proof/jose"
	"heartmark/schemas"
)

// Response modes (OpenID4VP 1.0, 8.2, 8.3 and A.2).
const (
	modePost          = "direct_post"
	modePostEncrypted = "direct_post.jwt"
	modeAPI           = "dc_api"
	modeAPIEncrypted  = "dc_api.jwt"
)

// CodePlace is what a redirect template holds where the response code goes.
const CodePlace = "{RESPONSE_CODE}"

// maxTransactions bounds the transaction data of one request.
const maxTransactions = 20

var nonceForm = regexp.MustCompile(`^[A-Za-z0-9_-]{22,128}$`)

// Ask is what a caller asks for.
type Ask struct {
	// Tenant asks; "" is the installation, for a caller without a key.
	Tenant string
	// Exactly one of Query, in DCQL, and Template.
	Query    map[string]any
	Template *Template
	Flow     Flow
	// Policy judges what comes; empty means the default one.
	Policy string
	// Prefix is that of the client identifier; empty means PrefixDID.
	Prefix string
	// Plain asks for an answer that is not encrypted.
	Plain bool
	// Nonce is the caller's own, of 128 bits or more in base64url; empty makes one.
	Nonce string
	// TransactionData are objects with type and credential_ids (8.4).
	TransactionData []map[string]any
	// RedirectTemplate is where the wallet sends the person back in the same-device flow, with CodePlace in it.
	RedirectTemplate string
	// Origins are the web origins that may call the Digital Credentials API.
	Origins []string
}

// Created is a session with its secrets, which exist here and nowhere else.
type Created struct {
	TransactionID string
	ClientID      string
	// RequestURI is where a wallet gets the request; empty for one that is not signed and for the Digital Credentials API.
	RequestURI string
	// WalletURL opens a wallet: the link of a same-device flow, the content of a QR code.
	WalletURL string
	// BrowserRequests are the requests for navigator.credentials.get, the signed one first.
	BrowserRequests []BrowserRequest
	ExpiresAt       time.Time
}

// BrowserRequest is one entry of digital.requests (W3C Digital Credentials; OpenID4VP 1.0, A.1).
type BrowserRequest struct {
	Protocol string         `json:"protocol"`
	Data     map[string]any `json:"data"`
}

// Create opens a session. Faults of what was asked are *schemas.FieldError with a pointer into the request of the session API.
func (s *Service) Create(ctx context.Context, a Ask) (Created, error) {
	session, query, err := s.plan(a)
	if err != nil {
		return Created{}, err
	}
	if _, err := s.c.Verifier.Policy(ctx, a.Tenant, a.Policy); err != nil {
		return Created{}, err
	}
	transactionID, requestID := random(), random()
	session.ID, session.Request = hashOf("transaction", transactionID), hashOf("request", requestID)
	now := s.c.Now()
	session.CreatedAt, session.ExpiresAt, session.PurgeAt = now, now.Add(SessionLife), now.Add(SessionLife+resultLife)
	prefix := a.Prefix
	if prefix == "" {
		prefix = PrefixDID
	}
	var client Client
	if prefix == PrefixRedirect {
		client = Client{ID: PrefixRedirect + ":" + s.responseURI(requestID)}
	} else if client, err = s.c.Client(ctx, a.Tenant, prefix); err != nil {
		return Created{}, fmt.Errorf("client identifier %s: %w", prefix, err)
	}
	session.ClientID = client.ID
	if session.TransactionData, err = transactionData(a.TransactionData, query); err != nil {
		return Created{}, err
	}
	if !a.Plain {
		if err := s.addKey(ctx, &session); err != nil {
			return Created{}, err
		}
	}
	out := Created{TransactionID: transactionID, ClientID: client.ID, ExpiresAt: session.ExpiresAt}
	if err := s.address(ctx, &session, client, requestID, &out); err != nil {
		return Created{}, err
	}
	if err := s.c.Store.PutSession(ctx, session); err != nil {
		return Created{}, fmt.Errorf("store session: %w", err)
	}
	return out, nil
}

// plan checks what is asked for.
func (s *Service) plan(a Ask) (Session, Query, error) {
	session := Session{Tenant: a.Tenant, Flow: a.Flow, State: StatePending, Policy: a.Policy, Nonce: a.Nonce, RedirectTemplate: a.RedirectTemplate}
	if a.Tenant == "" && (a.Query != nil || a.Prefix == PrefixRedirect) {
		return session, Query{}, ErrNotAllowed
	}
	if (a.Query == nil) == (a.Template == nil) {
		return session, Query{}, fault("", "exactly one of dcql_query and template")
	}
	raw := a.Query
	if a.Template != nil {
		if err := a.Template.Validate(); err != nil {
			return session, Query{}, below("/template", err)
		}
		if session.MaxAge = a.Template.MaxAge; session.MaxAge == 0 {
			session.MaxAge = 365 * 24 * time.Hour
		}
		raw = a.Template.query(s.c.TypeOrigins)
	}
	data, err := schemas.Marshal(raw)
	if err != nil {
		return session, Query{}, fmt.Errorf("query: %w", err)
	}
	session.Query = data
	query, err := readQuery(data)
	if err != nil {
		return session, Query{}, below("/dcql_query", err)
	}
	switch {
	case a.Nonce == "":
		session.Nonce = random()
	case !nonceForm.MatchString(a.Nonce):
		return session, Query{}, fault("/nonce", "22 to 128 characters of base64url")
	}
	if a.Prefix != "" && !slices.Contains([]string{PrefixDID, PrefixX509, PrefixRedirect}, a.Prefix) {
		return session, Query{}, fault("/client_id_prefix", "decentralized_identifier, x509_san_dns or redirect_uri")
	}
	return session, query, s.planFlow(&session, a)
}

func (s *Service) planFlow(session *Session, a Ask) error {
	session.ResponseMode = modePostEncrypted
	if a.Plain {
		session.ResponseMode = modePost
	}
	switch a.Flow {
	case SameDevice:
		if !s.goodTemplate(a.RedirectTemplate) {
			return fault("/redirect_uri_template", "an https address with "+CodePlace+" once, outside the host")
		}
	case CrossDevice, BrowserAPI:
		if a.RedirectTemplate != "" {
			return fault("/redirect_uri_template", "nothing: it belongs to the flow same_device")
		}
	default:
		return fault("/flow", "same_device, cross_device or dc_api")
	}
	if a.Flow != BrowserAPI {
		if len(a.Origins) > 0 {
			return fault("/expected_origins", "nothing: they belong to the flow dc_api")
		}
		return nil
	}
	session.ResponseMode = modeAPIEncrypted
	if a.Plain {
		session.ResponseMode = modeAPI
	}
	if a.Prefix == PrefixRedirect {
		return fault("/client_id_prefix", "a prefix that signs")
	}
	if len(a.Origins) == 0 || len(a.Origins) > 10 {
		return fault("/expected_origins", "1 to 10 web origins")
	}
	for i, origin := range a.Origins {
		if !s.goodOrigin(origin) {
			return fault("/expected_origins/"+strconv.Itoa(i), "an https origin, without a path")
		}
	}
	session.Origins = a.Origins
	return nil
}

// goodTemplate accepts an https address, or one of this installation's own, whose host the code cannot change.
func (s *Service) goodTemplate(template string) bool {
	if strings.Count(template, CodePlace) != 1 || len(template) > 2000 {
		return false
	}
	u, err := url.Parse(strings.Replace(template, CodePlace, "code", 1))
	if err != nil || u.Host == "" || u.User != nil || !schemas.IsURL(u.String()) {
		return false
	}
	host, _, _ := strings.Cut(strings.TrimPrefix(template, u.Scheme+"://"), "/")
	if strings.Contains(host, "{") {
		return false
	}
	return u.Scheme == "https" || u.Scheme+"://"+u.Host == s.c.Origin
}

func (s *Service) goodOrigin(origin string) bool {
	u, err := url.Parse(origin)
	return origin == s.c.Origin || err == nil && u.Scheme == "https" && u.Host != "" && origin == "https://"+u.Host
}

// transactionData encodes what is to be agreed to (8.4). Only a key binding says what its holder agreed to, so each may
// name SD-JWT VCs that are asked for with binding.
func transactionData(items []map[string]any, q Query) ([]string, error) {
	if len(items) > maxTransactions {
		return nil, fault("/transaction_data", fmt.Sprintf("at most %d", maxTransactions))
	}
	var out []string
	for i, item := range items {
		at := "/transaction_data/" + strconv.Itoa(i)
		if kind, _ := item["type"].(string); kind == "" {
			return nil, fault(at+"/type", "a text")
		}
		ids, err := array(item, at, "credential_ids", 1, maxQueries)
		if err != nil {
			return nil, err
		}
		for j, id := range ids {
			name, _ := id.(string)
			if c, known := q.credential(name); !known || c.Format != FormatSDJWT || !c.Bound {
				return nil, fault(at+"/credential_ids/"+strconv.Itoa(j), "the id of a dc+sd-jwt credential of the query, with holder binding")
			}
		}
		if _, present := item["transaction_data_hashes_alg"]; present {
			return nil, fault(at+"/transaction_data_hashes_alg", "nothing: sha-256 is used")
		}
		raw, err := schemas.Marshal(item)
		if err != nil {
			return nil, fault(at, "values of JSON")
		}
		out = append(out, base64.RawURLEncoding.EncodeToString(raw))
	}
	return out, nil
}

// addKey makes the key to which this session's answer is encrypted, and seals it.
func (s *Service) addKey(ctx context.Context, session *Session) error {
	key, err := jose.NewEncryptionKey()
	if err != nil {
		return fmt.Errorf("session key: %w", err)
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		return fmt.Errorf("session key: %w", err)
	}
	session.SealedKey, err = s.c.Sealer.Seal(ctx, session.Tenant, sealKey, session.ID, der)
	return err
}

// What is sealed, by kind.
const (
	sealKey    = "oid4vp key"
	sealResult = "oid4vp result"
)

func (s *Service) openKey(ctx context.Context, session Session) (*ecdsa.PrivateKey, error) {
	der, err := s.c.Sealer.Open(ctx, session.Tenant, sealKey, session.ID, session.SealedKey)
	if err != nil {
		return nil, err
	}
	parsed, err := x509.ParsePKCS8PrivateKey(der)
	if err != nil {
		return nil, fmt.Errorf("session key: %w", err)
	}
	key, ok := parsed.(*ecdsa.PrivateKey)
	if !ok {
		return nil, fmt.Errorf("session key is of type %T", parsed)
	}
	return key, nil
}

// address says how a wallet gets the request: from an address, by value in the link where it must not be signed, or through
// the browser.
func (s *Service) address(ctx context.Context, session *Session, client Client, requestID string, out *Created) error {
	switch {
	case session.Flow == BrowserAPI:
		session.State = StateRequested // the caller has the request in hand
		return s.browserRequests(ctx, *session, client, requestID, out)
	case client.Signer == nil:
		session.State = StateRequested
		claims, err := s.claims(ctx, *session, requestID)
		if err != nil {
			return err
		}
		query, err := linkQuery(claims)
		if err != nil {
			return err
		}
		out.WalletURL = "openid4vp://?" + query
	default:
		out.RequestURI = s.c.Origin + "/oid4vp/" + requestID
		out.WalletURL = "openid4vp://?" + url.Values{
			"client_id": {client.ID}, "request_uri": {out.RequestURI}, "request_uri_method": {"post"},
		}.Encode()
	}
	return nil
}

// linkQuery writes parameters into a link; what is an object or a list stands there as JSON (5.1).
func linkQuery(claims map[string]any) (string, error) {
	values := url.Values{}
	for name, v := range claims {
		if text, isText := v.(string); isText {
			values.Set(name, text)
			continue
		}
		raw, err := schemas.Marshal(v)
		if err != nil {
			return "", fmt.Errorf("%s: %w", name, err)
		}
		values.Set(name, string(raw))
	}
	return values.Encode(), nil
}

func readQuery(data json.RawMessage) (Query, error) {
	m, err := schemas.ParseObject(data)
	if err != nil {
		return Query{}, err
	}
	return ParseQuery(m)
}

// below puts a step before the pointer of a fault.
func below(step string, err error) error {
	f, ok := err.(*schemas.FieldError) //nolint:errorlint // made by this package, never wrapped
	if !ok {
		return err
	}
	return &schemas.FieldError{Pointer: step + f.Pointer, Expected: f.Expected, Err: f.Err}
}
