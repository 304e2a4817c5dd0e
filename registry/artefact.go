package registry

import (
	"context"
	"errors"
	"fmt"
	"mime"
	"regexp"
	"slices"

	"heartmark/schemas"
	"heartmark/schemas/trust"
)

// Published documents are those of package trust, which off-line readers share.
type (
	// Kind is a kind of artefact: the first step of its address.
	Kind = trust.ArtefactKind
	// Artefact is a published document. Its address is the origin, the kind and the name; its bytes never change.
	Artefact = trust.Artefact
)

// The kinds.
const (
	KindSchemas      = trust.KindSchemas
	KindContexts     = trust.KindContexts
	KindAchievements = trust.KindAchievements
	KindTypes        = trust.KindTypes
	KindFrameworks   = trust.KindFrameworks
)

// Kinds returns all kinds.
func Kinds() []Kind { return trust.ArtefactKinds() }

// maxArtefact is the size limit of an artefact in bytes.
const maxArtefact = 256 << 10

// artefactName is a path with a version as one of its steps: "dei/v1", "dei/profile/v1/zh".
var (
	artefactName    = regexp.MustCompile(`^[a-z0-9][a-z0-9_-]*(/[a-z0-9][a-z0-9_-]*){1,5}$`)
	artefactVersion = regexp.MustCompile(`/v[1-9][0-9]{0,5}(/|$)`)
)

// NewArtefact asks for a document to be published.
type NewArtefact struct {
	Kind      Kind
	Name      string // with its version: "dei/v1"
	MediaType string
	Data      []byte
}

// PublishArtefact publishes a document for good. Publishing the same bytes again changes nothing; other bytes under the
// name are ErrConflict: a new meaning is a new version. JSON is read strictly; a JSON Schema must keep the limits
// (ErrLimits); none may hold data about persons (ErrPersonalData).
func (r *Registry) PublishArtefact(ctx context.Context, actor Actor, n NewArtefact) (Artefact, error) {
	if err := actor.must(RoleOperator, RoleSystem); err != nil {
		return Artefact{}, err
	}
	if err := checkArtefact(n); err != nil {
		return Artefact{}, err
	}
	old, err := r.c.Store.Artefact(ctx, n.Kind, n.Name)
	if err == nil {
		return r.samePublished(ctx, old, n)
	}
	if !errors.Is(err, ErrNotFound) {
		return Artefact{}, err
	}
	a := Artefact{
		Kind: n.Kind, Name: n.Name, MediaType: n.MediaType, Data: slices.Clone(n.Data), Size: len(n.Data),
		SHA256: sha256Hex(n.Data), SRI: schemas.DigestSRI(n.Data), Published: r.now(),
	}
	p, err := r.artefactEntry(a)
	if err != nil {
		return Artefact{}, err
	}
	a.Leaf = p.Leaf
	err = r.record(ctx, actor, AuditArtefact, r.ArtefactURL(n.Kind, n.Name), Change{Artefact: &a, Pending: []Pending{p}})
	if err != nil {
		return Artefact{}, err
	}
	return a, nil
}

// artefactEntry is what the log says of an artefact: its digests.
func (r *Registry) artefactEntry(a Artefact) (Pending, error) {
	return artefactEntry(r.c.Origin, a)
}

func artefactEntry(origin string, a Artefact) (Pending, error) {
	return entry(logKind(a.Kind), origin+"/"+string(a.Kind)+"/"+a.Name, map[string]any{
		"name": a.Name, "mediaType": a.MediaType, "sha256": a.SHA256, "digestSRI": a.SRI,
	}, a.Published)
}

func (r *Registry) samePublished(ctx context.Context, old Artefact, n NewArtefact) (Artefact, error) {
	if old.SHA256 != sha256Hex(n.Data) || old.MediaType != n.MediaType {
		return Artefact{}, fmt.Errorf("%s/%s: %w", n.Kind, n.Name, ErrConflict)
	}
	var err error
	old.Log, err = r.logIndex(ctx, old.Leaf)
	return old, err
}

// ArtefactURL is the address of an artefact.
func (r *Registry) ArtefactURL(kind Kind, name string) string {
	return r.c.Origin + "/" + string(kind) + "/" + name
}

func logKind(k Kind) string {
	switch k {
	case KindContexts:
		return schemas.LogContext
	case KindAchievements:
		return schemas.LogAchievement
	case KindFrameworks:
		return schemas.LogFramework
	default:
		return schemas.LogSchema
	}
}

// Artefact returns a published document with its place in the log, or ErrNotFound.
func (r *Registry) Artefact(ctx context.Context, kind Kind, name string) (Artefact, error) {
	a, err := r.c.Store.Artefact(ctx, kind, name)
	if err != nil {
		return Artefact{}, err
	}
	a.Log, err = r.logIndex(ctx, a.Leaf)
	return a, err
}

// Artefacts returns up to limit (200 at most) artefacts of a kind without their bytes, after the name after.
func (r *Registry) Artefacts(ctx context.Context, kind Kind, after string, limit int) ([]Artefact, error) {
	if limit <= 0 || limit > maxPage {
		limit = maxPage
	}
	page, err := r.c.Store.Artefacts(ctx, kind, after, limit)
	if err != nil {
		return nil, err
	}
	leaves := make([]string, len(page))
	for i, a := range page {
		leaves[i] = a.Leaf
	}
	logged, err := r.c.Store.Logged(ctx, leaves)
	if err != nil {
		return nil, err
	}
	for i := range page {
		if index, ok := logged[page[i].Leaf]; ok {
			page[i].Log = &index
		}
	}
	return page, nil
}

func checkArtefact(n NewArtefact) error {
	if !slices.Contains(Kinds(), n.Kind) {
		return invalid("/kind", "schemas, contexts, achievements, vct or frameworks")
	}
	if len(n.Name) > 128 || !artefactName.MatchString(n.Name) || !artefactVersion.MatchString(n.Name) {
		return invalid("/name", `a path with a version, such as "dei/v1"`)
	}
	if _, _, err := mime.ParseMediaType(n.MediaType); err != nil {
		return invalid("/mediaType", "a media type")
	}
	if len(n.Data) == 0 || len(n.Data) > maxArtefact {
		return fmt.Errorf("%d bytes, 1 to %d are allowed: %w", len(n.Data), maxArtefact, ErrLimits)
	}
	doc, err := schemas.ParseObject(n.Data)
	if err != nil {
		return err
	}
	if err := checkPublic(doc); err != nil {
		return err
	}
	if n.Kind == KindSchemas {
		return checkSchema(doc)
	}
	return nil
}
