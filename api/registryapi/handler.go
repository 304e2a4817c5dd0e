package registryapi

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"strings"
	"time"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/registry"
	"heartmark/registry/translog"
	"heartmark/schemas"

	"github.com/labstack/echo/v4"
)

// Publications are what credentials point to; *registry.Registry is one.
type Publications interface {
	DIDDocument(ctx context.Context, did string) (document []byte, etag string, err error)
	DIDAt(ctx context.Context, did string, at time.Time) (registry.DIDState, error)
	Artefact(ctx context.Context, kind registry.Kind, name string) (registry.Artefact, error)
	Artefacts(ctx context.Context, kind registry.Kind, after string, limit int) ([]registry.Artefact, error)
	StatusList(ctx context.Context, group schemas.ListGroup, purpose string, at time.Time) (document []byte, version uint64, err error)
	Snapshot(ctx context.Context) ([]byte, error)
}

// Authorities answers who may do what; *registry.Registry is one.
type Authorities interface {
	Authority(ctx context.Context, q registry.AuthorityQuery) (registry.AuthorityAnswer, error)
	AuthoritiesOf(ctx context.Context, entity string, at time.Time) ([]registry.Authority, error)
	AuthorityHistory(ctx context.Context, id string) ([]registry.Authority, error)
	Issuers(ctx context.Context, q registry.IssuerQuery) ([]registry.Issuer, string, error)
	KeyIntervals(ctx context.Context, did string, at time.Time) ([]registry.KeyInterval, error)
	Resources(ctx context.Context, after string, limit int) ([]string, error)
	Accreditations(ctx context.Context, entity, resource string, at time.Time) ([]registry.Accreditation, error)
	SignAnswer(ctx context.Context, typ string, claims map[string]any) (string, error)
}

// Log gives the public files of the transparency log; *translog.Log is one.
type Log interface {
	File(ctx context.Context, path string) (translog.File, error)
	VerifierKeys() []string
	Size(ctx context.Context) (uint64, error)
	InclusionProof(ctx context.Context, index uint64) (schemas.LogProof, error)
	ConsistencyProof(ctx context.Context, from, to uint64) ([]string, error)
	Checkpoint(ctx context.Context) ([]byte, error)
}

// Config is what a Handler needs. All fields are required.
type Config struct {
	// Origin is the public origin, DID the installation's identifier.
	Origin, DID  string
	Publications Publications
	Authorities  Authorities
	Writer       Writer
	Federation   Federation
	Resolver     Resolver
	Metadata     IssuerMetadata
	Log          Log
	Events       Events
	// Stopping ends open streams; nil never does.
	Stopping <-chan struct{}
	Cursors  edge.Cursors
}

// Handler serves the routes of this package. Make one with New.
type Handler struct {
	Config
	streams chan struct{} // one place for each open stream
}

// New returns a handler for c.
func New(c Config) *Handler { return &Handler{Config: c, streams: make(chan struct{}, maxStreams)} }

// How long caches may keep what changes.
const (
	didAge        = 5 * time.Minute
	listAge       = time.Minute
	checkpointAge = 5 * time.Second
	readAge       = time.Minute
)

func serve(c echo.Context, p edge.Public) error { return p.Serve(c.Response(), c.Request()) }

// DIDDocument is GET /.well-known/did.json and GET /{tenant}/did.json.
func (h *Handler) DIDDocument(c echo.Context) error {
	id := h.DID
	if tenant := edge.Param(c.Request(), c.Param("tenant")); tenant != "" {
		id += ":" + tenant
	}
	document, tag, err := h.Publications.DIDDocument(c.Request().Context(), id)
	if err != nil {
		return fmt.Errorf("DID document: %w", err)
	}
	return serve(c, edge.Public{Body: document, MediaType: "application/did+json", ETag: strings.Trim(tag, `"`), MaxAge: didAge})
}

// Artefact is GET /{kind}/{name…}: a schema, context, achievement or type, the same bytes for ever.
func (h *Handler) Artefact(kind registry.Kind) echo.HandlerFunc {
	return func(c echo.Context) error {
		a, err := h.Publications.Artefact(c.Request().Context(), kind, edge.Param(c.Request(), c.Param("*")))
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		return serve(c, edge.Public{Body: a.Data, MediaType: a.MediaType, ETag: a.SHA256, Immutable: true})
	}
}

// StatusList is GET /status/{group}/{purpose}, with ?timestamp= as it was then (Bitstring Status List 1.0, 3.2).
func (h *Handler) StatusList(c echo.Context) error {
	if edge.Param(c.Request(), c.Param("purpose")) == schemas.PurposeToken {
		return h.statusToken(c)
	}
	query, err := edge.Query(c.Request(), "timestamp")
	if err != nil {
		return err
	}
	at, err := queryTime(query["timestamp"])
	if err != nil {
		return err
	}
	document, _, err := h.Publications.StatusList(c.Request().Context(),
		schemas.ListGroup(edge.Param(c.Request(), c.Param("group"))), edge.Param(c.Request(), c.Param("purpose")), at)
	if err != nil {
		return fmt.Errorf("status list: %w", err)
	}
	c.Response().Header().Add("Vary", "Accept")
	return serve(c, edge.Public{Body: document, MediaType: credentialType(c.Request()), MaxAge: listAge})
}

// statusToken is GET /status/{group}/token, with ?time= as it was then (Token Status List, 8.1 and 8.4). There is one form,
// whatever the Accept header asks for.
func (h *Handler) statusToken(c echo.Context) error {
	query, err := edge.Query(c.Request(), "time")
	if err != nil {
		return err
	}
	at := time.Time{}
	if text := query["time"]; text != "" {
		if at, err = schemas.ParseNumericDate(json.Number(text)); err != nil {
			return fmt.Errorf("%w: %w", problem.ErrQuery, err)
		}
	}
	token, _, err := h.Publications.StatusList(c.Request().Context(),
		schemas.ListGroup(edge.Param(c.Request(), c.Param("group"))), schemas.PurposeToken, at)
	if err != nil {
		return fmt.Errorf("status list: %w", err)
	}
	return serve(c, edge.Public{Body: token, MediaType: "application/" + registry.TypeStatusToken, MaxAge: listAge})
}

// credentialType is application/vc, as the data model has it (6.2), or the JSON type that an older client asks for.
func credentialType(r *http.Request) string {
	accept := strings.ToLower(strings.Join(r.Header.Values("Accept"), ","))
	if mentions(accept, "application/vc") {
		return "application/vc"
	}
	for _, name := range []string{"application/vc+ld+json", "application/ld+json", "application/json"} {
		if mentions(accept, name) {
			return name
		}
	}
	return "application/vc"
}

func mentions(accept, mediaType string) bool {
	for item := range strings.SplitSeq(accept, ",") {
		if name, _, _ := strings.Cut(item, ";"); strings.TrimSpace(name) == mediaType {
			return true
		}
	}
	return false
}

// queryTime reads an instant with its zone; empty is the zero time.
func queryTime(s string) (time.Time, error) {
	if s == "" {
		return time.Time{}, nil
	}
	t, err := schemas.ParseTime(s)
	if err != nil {
		return time.Time{}, fmt.Errorf("%w: %w", problem.ErrQuery, err)
	}
	return t, nil
}

// Checkpoint is GET /log/checkpoint.
func (h *Handler) Checkpoint(c echo.Context) error { return h.file(c, "checkpoint") }

// Tile is GET /log/tile/{path…} (C2SP tlog-tiles).
func (h *Handler) Tile(c echo.Context) error {
	return h.file(c, "tile/"+edge.Param(c.Request(), c.Param("*")))
}

func (h *Handler) file(c echo.Context, path string) error {
	f, err := h.Log.File(c.Request().Context(), path)
	if err != nil {
		return fmt.Errorf("log: %w", err)
	}
	return serve(c, edge.Public{Body: f.Data, MediaType: f.MediaType, Immutable: f.Immutable, MaxAge: checkpointAge})
}

// Export is GET /registry/v1/export.
func (h *Handler) Export(c echo.Context) error {
	snapshot, err := h.Publications.Snapshot(c.Request().Context())
	if err != nil {
		return fmt.Errorf("export: %w", err)
	}
	return serve(c, edge.Public{Body: snapshot, MediaType: "application/json", MaxAge: readAge})
}

// public answers a JSON value that caches may keep for a while; to who asks for application/jwt, signed by the registry.
func (h *Handler) public(c echo.Context, v any) error {
	c.Response().Header().Add("Vary", "Accept")
	if asksForJWT(c.Request()) {
		token, err := h.Authorities.SignAnswer(c.Request().Context(), "registry-answer+jwt", map[string]any{
			"sub": h.Origin + c.Request().URL.RequestURI(), "answer": v,
		})
		if err != nil {
			return fmt.Errorf("sign answer: %w", err)
		}
		return serve(c, edge.Public{Body: []byte(token), MediaType: "application/jwt", MaxAge: readAge})
	}
	body, err := schemas.Marshal(v)
	if err != nil {
		return fmt.Errorf("encode answer: %w", err)
	}
	return serve(c, edge.Public{Body: body, MediaType: "application/json", MaxAge: readAge})
}

func asksForJWT(r *http.Request) bool {
	return mentions(strings.ToLower(strings.Join(r.Header.Values("Accept"), ",")), "application/jwt")
}

// page reads where a page of a list begins and how long it is; known are the other parameters of the query.
func (h *Handler) page(c echo.Context, list string, known ...string) (query map[string]string, after string, limit int, err error) {
	if query, err = edge.Query(c.Request(), append(known, "cursor", "limit")...); err != nil {
		return nil, "", 0, err
	}
	if limit, err = edge.Limit(query["limit"]); err != nil {
		return nil, "", 0, err
	}
	after, err = h.Cursors.Open(list, query["cursor"])
	return query, after, min(limit, maxPage), err
}

// maxPage is the longest page that the registry gives.
const maxPage = 200

// pageOf answers a page and links to the next one.
func pageOf[T any](h *Handler, c echo.Context, list string, items []T, next string) error {
	answer := Page[T]{Items: items, Next: h.Cursors.Seal(list, next)}
	if answer.Next != "" {
		u := *c.Request().URL
		q := u.Query()
		q.Set("cursor", answer.Next)
		u.RawQuery = q.Encode()
		c.Response().Header().Set("Link", "<"+h.Origin+u.RequestURI()+`>; rel="next"`)
	}
	return h.public(c, answer)
}

// Issuers is GET /registry/v1/issuers.
func (h *Handler) Issuers(c echo.Context) error {
	query, after, limit, err := h.page(c, "issuers", "action", "resource", "time")
	if err != nil {
		return err
	}
	at, err := queryTime(query["time"])
	if err != nil {
		return err
	}
	issuers, next, err := h.Authorities.Issuers(c.Request().Context(), registry.IssuerQuery{
		Action: query["action"], Resource: query["resource"], Time: at, After: after, Limit: limit,
	})
	if err != nil {
		return fmt.Errorf("issuers: %w", err)
	}
	items := make([]IssuerRecord, 0, len(issuers))
	for _, i := range issuers {
		items = append(items, IssuerRecord{DID: i.DID, Name: i.Name, Authorities: authorityRecords(i.Authorities)})
	}
	return pageOf(h, c, "issuers", items, next)
}

// Issuer is GET /registry/v1/issuers/{did} and …/authorities, as of ?time=.
func (h *Handler) Issuer(c echo.Context) error {
	query, err := edge.Query(c.Request(), "time")
	if err != nil {
		return err
	}
	at, err := queryTime(query["time"])
	if err != nil {
		return err
	}
	id := edge.DIDParam(c.Request(), c.Param("did"))
	records, err := h.Authorities.AuthoritiesOf(c.Request().Context(), id, at)
	if err != nil {
		return fmt.Errorf("issuer: %w", err)
	}
	answer := IssuerRecord{DID: id, Authorities: authorityRecords(records)}
	if len(records) > 0 {
		answer.Name = records[len(records)-1].Name
	}
	return h.public(c, answer)
}

// AuthorityHistory is GET /registry/v1/authorities/{id}/history: every version of one authority, the first one first.
func (h *Handler) AuthorityHistory(c echo.Context) error {
	if _, err := edge.Query(c.Request()); err != nil {
		return err
	}
	versions, err := h.Authorities.AuthorityHistory(c.Request().Context(), edge.Param(c.Request(), c.Param("id")))
	if err != nil {
		return fmt.Errorf("authority: %w", err)
	}
	return h.public(c, Page[AuthorityRecord]{Items: authorityRecords(versions)})
}

// AuthorityList is GET /registry/v1/authorities: those whose word this registry records.
func (h *Handler) AuthorityList(c echo.Context) error {
	if _, err := edge.Query(c.Request()); err != nil {
		return err
	}
	return h.public(c, Page[map[string]string]{Items: []map[string]string{{"did": h.DID, "framework": h.Origin + "/registry/v1/framework"}}})
}

// Recognitions is GET /registry/v1/authorities/{did}/recognitions: other registries that the authority recognises.
func (h *Handler) Recognitions(c echo.Context) error {
	query, after, limit, err := h.page(c, "recognitions", "time")
	if err != nil {
		return err
	}
	at, err := queryTime(query["time"])
	if err != nil {
		return err
	}
	authority := edge.DIDParam(c.Request(), c.Param("did"))
	issuers, next, err := h.Authorities.Issuers(c.Request().Context(), registry.IssuerQuery{
		Action: registry.ActionRecognize, Authority: authority, Time: at, After: after, Limit: limit,
	})
	if err != nil {
		return fmt.Errorf("recognitions: %w", err)
	}
	items := []AuthorityRecord{}
	for _, i := range issuers {
		for _, a := range i.Authorities {
			if a.Action == registry.ActionRecognize && a.Authority == authority {
				items = append(items, authorityRecord(a))
			}
		}
	}
	return pageOf(h, c, "recognitions", items, next)
}

// Artefacts is GET /registry/v1/{schemas,contexts,achievements}.
func (h *Handler) Artefacts(kind registry.Kind) echo.HandlerFunc {
	return func(c echo.Context) error {
		_, after, limit, err := h.page(c, string(kind))
		if err != nil {
			return err
		}
		found, err := h.Publications.Artefacts(c.Request().Context(), kind, after, limit)
		if err != nil {
			return fmt.Errorf("%s: %w", kind, err)
		}
		items := make([]ArtefactRecord, 0, len(found))
		for _, a := range found {
			items = append(items, h.artefactRecord(a))
		}
		next := ""
		if len(found) == limit {
			next = found[limit-1].Name
		}
		return pageOf(h, c, string(kind), items, next)
	}
}

func (h *Handler) artefactRecord(a registry.Artefact) ArtefactRecord {
	return ArtefactRecord{
		URL: h.Origin + "/" + string(a.Kind) + "/" + a.Name, Name: a.Name, MediaType: a.MediaType, Size: a.Size,
		SHA256: a.SHA256, DigestSRI: a.SRI, Published: instant(a.Published), Log: logRef(a.Log),
	}
}

// Keys is GET /registry/v1/keys/{did}, as of ?time=.
func (h *Handler) Keys(c echo.Context) error {
	query, err := edge.Query(c.Request(), "time")
	if err != nil {
		return err
	}
	at, err := queryTime(query["time"])
	if err != nil {
		return err
	}
	intervals, err := h.Authorities.KeyIntervals(c.Request().Context(), edge.DIDParam(c.Request(), c.Param("did")), at)
	if err != nil {
		return fmt.Errorf("keys: %w", err)
	}
	page := Page[KeyRecord]{Items: make([]KeyRecord, 0, len(intervals))}
	for _, k := range intervals {
		page.Items = append(page.Items, KeyRecord{
			DID: k.DID, Method: k.Method, Kind: k.Kind, PublicKeyMultibase: k.PublicKeyMultibase, From: instant(k.From),
			Until: instant(k.Until), Revoked: instant(k.Revoked), Log: logRef(k.LogIndex),
		})
	}
	return h.public(c, page)
}

// Actions is GET /registry/v1/actions: the vocabulary of TRQP's action.
func (h *Handler) Actions(c echo.Context) error {
	if _, err := edge.Query(c.Request()); err != nil {
		return err
	}
	return h.public(c, Page[string]{Items: registry.Actions()})
}

// Resources is GET /registry/v1/resources: what authorities here are about.
func (h *Handler) Resources(c echo.Context) error {
	_, after, limit, err := h.page(c, "resources")
	if err != nil {
		return err
	}
	found, err := h.Authorities.Resources(c.Request().Context(), after, limit)
	if err != nil {
		return fmt.Errorf("resources: %w", err)
	}
	next := ""
	if len(found) == limit {
		next = found[limit-1]
	}
	return pageOf(h, c, "resources", append([]string{}, found...), next)
}

// RegistryMetadata is GET /registry/v1/metadata.
func (h *Handler) RegistryMetadata(c echo.Context) error {
	if _, err := edge.Query(c.Request()); err != nil {
		return err
	}
	return h.public(c, RegistryMetadata{
		Registry: h.DID, Origin: h.Origin, Actions: registry.Actions(),
		Protocols: map[string]string{
			"trqp": "ToIP Trust Registry Query Protocol 2.0, " + h.Origin + "/trqp",
			"log":  "C2SP tlog-tiles, " + h.Origin + "/log",
			"did":  "did:web",
		},
		Framework: h.Origin + "/registry/v1/framework", Export: h.Origin + "/registry/v1/export",
		Log: LogMetadata{
			Checkpoint: h.Origin + "/log/checkpoint", Tiles: h.Origin + "/log/tile/", VerifierKeys: h.Log.VerifierKeys(),
		},
	})
}

var (
	_ Publications = (*registry.Registry)(nil)
	_ Authorities  = (*registry.Registry)(nil)
	_ Log          = (*translog.Log)(nil)
)
