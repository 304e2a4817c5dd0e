package verifier

import (
	"bytes"
	"context"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"net/url"
	"strings"

	"github.com/mr-tron/base58"

	"heartmark/internal/statuslist"
	"heartmark/schemas"
	schemacontext "heartmark/schemas/context"
	"heartmark/schemas/jsonschema"
)

// typeEdTechSchema is the entry by which Open Badges names its own schema. It is not fetched; the rules are built in.
const typeEdTechSchema = "1EdTechJsonSchemaValidator2019"

// schema checks the rules of Open Badges, where the credential says it is one, and every entry of credentialSchema with
// the schemas at hand (Verifiable Credentials JSON Schema, 2).
func (r *run) schema() {
	if r.omitted(CheckSchema) {
		return
	}
	isBadge := schemas.IsOpenBadge(r.doc)
	if err := badge(r.doc); err != nil {
		r.addField("schema_violated", err)
		isBadge = false
	}
	found := entries(r.doc, "credentialSchema")
	if len(found) == 0 {
		r.add("schema_none", "")
	}
	for _, e := range found {
		r.schemaEntry(e, isBadge)
	}
}

func (r *run) schemaEntry(e entry, isBadge bool) {
	if isBadge && text(e.value, "type") == typeEdTechSchema {
		r.add("schema_ok", e.pointer).say("the rules of Open Badges 3.0 that are built in")
		return
	}
	if r.v.cfg.Schemas == nil {
		r.add("schema_unknown", e.pointer)
		return
	}
	err := r.v.cfg.Schemas.CheckEntry(e.value, r.doc)
	switch {
	case err == nil:
		r.add("schema_ok", e.pointer).rest(Evidence{Source: text(e.value, "id"), Digest: text(e.value, "digestSRI")})
	case errors.Is(err, jsonschema.ErrUnknownSchema):
		r.add("schema_unknown", e.pointer).say(shorten(text(e.value, "id")))
	case errors.Is(err, jsonschema.ErrDigest):
		r.add("schema_digest", e.pointer)
	default:
		r.addField("schema_violated", err)
	}
}

// badge checks an Open Badge. Badges in the wild name levels of other result descriptions; one with our own context may
// not, since people read its levels as ours.
func badge(doc map[string]any) error {
	if !schemas.IsOpenBadge(doc) {
		return nil
	}
	for _, c := range texts(doc["@context"]) {
		if strings.HasSuffix(c, schemacontext.DEIPath) {
			return schemas.ValidateOpenBadge(doc)
		}
	}
	return schemas.ValidateOpenBadgeShape(doc)
}

// related compares the resources that are used here, which are the contexts, with the digests that the credential gives
// them (VC Data Model 2.0, 5.3). Others are not fetched and not used.
func (r *run) related() {
	if r.omitted(CheckRelatedResource) {
		return
	}
	seen, compared := map[string]bool{}, 0
	for _, e := range entries(r.doc, "relatedResource") {
		id := text(e.value, "id")
		if id == "" || seen[id] {
			r.add("related_resource_malformed", e.pointer)
			return
		}
		seen[id] = true
		claimed, ok := claimedDigests(e.value)
		if !ok {
			r.add("related_resource_malformed", e.pointer)
			return
		}
		held, err := r.v.cfg.Contexts.Document(id)
		if err != nil {
			continue
		}
		compared++
		if !matches(claimed, id, held) {
			r.add("related_resource_digest", e.pointer).say(shorten(id))
			return
		}
		r.add("related_resource_ok", e.pointer)
	}
	if compared == 0 {
		r.add("related_resource_none", "")
	}
}

// claimedDigests reads digestSRI and digestMultibase as raw digests; each that is there must be readable.
func claimedDigests(m map[string]any) ([][]byte, bool) {
	var out [][]byte
	if v, present := m["digestSRI"]; present {
		s, _ := v.(string)
		for _, item := range strings.Fields(s) {
			name, value, _ := strings.Cut(item, "-")
			raw, err := base64.StdEncoding.Strict().DecodeString(value)
			if err != nil || len(raw) != map[string]int{"sha256": 32, "sha384": 48, "sha512": 64}[name] {
				return nil, false
			}
			out = append(out, raw)
		}
	}
	if v, present := m["digestMultibase"]; present {
		s, _ := v.(string)
		raw, ok := multihash(s)
		if !ok {
			return nil, false
		}
		out = append(out, raw)
	}
	return out, len(out) > 0
}

// multihash reads a multibase (base58btc or base64url) multihash of SHA-256, SHA-384 or SHA-512.
func multihash(s string) ([]byte, bool) {
	if s == "" || len(s) > 256 {
		return nil, false
	}
	var raw []byte
	var err error
	switch s[0] {
	case 'z':
		raw, err = base58.Decode(s[1:])
	case 'u':
		raw, err = base64.RawURLEncoding.Strict().DecodeString(s[1:])
	default:
		return nil, false
	}
	if err != nil || len(raw) < 2 {
		return nil, false
	}
	want := map[byte]int{0x12: 32, 0x20: 48, 0x13: 64}[raw[0]]
	if want == 0 || int(raw[1]) != want || len(raw) != 2+want {
		return nil, false
	}
	return raw[2:], true
}

// matches tells whether every claimed digest is one that the resource has or, as its owner publishes it, had: the copy at
// hand may differ from the published file in white space.
func matches(claimed [][]byte, id string, held []byte) bool {
	s256, s384, s512 := sha256.Sum256(held), sha512.Sum384(held), sha512.Sum512(held)
	good := [][]byte{s256[:], s384[:], s512[:]}
	for _, d := range schemacontext.PublishedDigests(id) {
		if raw, err := hex.DecodeString(d.SHA256); err == nil && len(raw) == 32 {
			good = append(good, raw)
		}
		if raw, err := base64.StdEncoding.DecodeString(d.SHA384); err == nil && len(raw) == 48 {
			good = append(good, raw)
		}
	}
	for _, c := range claimed {
		found := false
		for _, g := range good {
			found = found || bytes.Equal(c, g)
		}
		if !found {
			return false
		}
	}
	return true
}

// log checks that the credential's commitment stands in the transparency log (design.md §9.10), when that was asked.
func (r *run) log(ctx context.Context) {
	switch {
	case !r.in.WantLog && r.in.LogProof == nil:
		r.add("log_inclusion_not_asked", "")
		return
	case r.omitted(CheckLogInclusion):
		return
	case r.in.LogProof == nil:
		r.add("log_inclusion_missing", "")
		return
	case r.v.cfg.Log == nil:
		r.add("log_inclusion_unavailable", "").say("no log is configured")
		return
	}
	commitment, ok := commitment(r.common)
	if !ok {
		r.add("log_inclusion_mismatch", "").say("the credential has no id or status entry that a commitment could be made of")
		return
	}
	evidence, err := r.v.cfg.Log.VerifyInclusion(ctx, schemas.IssuedEntry(commitment).Encode(), *r.in.LogProof)
	switch {
	case errors.Is(err, ErrLogMismatch):
		r.add("log_inclusion_mismatch", "").rest(evidence)
	case err != nil:
		r.add("log_inclusion_unavailable", "")
	default:
		r.add("log_inclusion_ok", "").rest(evidence)
	}
}

// commitment is what the issuer put into the log for doc; group and index come from its first status entry.
func commitment(doc map[string]any) ([32]byte, bool) {
	found := entries(doc, "credentialStatus")
	if len(found) == 0 || text(doc, "id") == "" {
		return [32]byte{}, false
	}
	u, err := url.Parse(text(found[0].value, "statusListCredential"))
	if err != nil {
		return [32]byte{}, false
	}
	group, _, ok := cutLast(strings.TrimPrefix(u.Path, "/status/"), "/")
	index, err := statuslist.ParseIndex(text(found[0].value, "statusListIndex"))
	if !ok || err != nil || !strings.HasPrefix(u.Path, "/status/") {
		return [32]byte{}, false
	}
	return schemas.IssuedCommitment(schemas.CredentialID(text(doc, "id")), reference(doc["issuer"]), text(doc, "validFrom"),
		text(doc, "validUntil"), schemas.ListGroup(group), index), true
}

func cutLast(s, sep string) (before, after string, ok bool) {
	i := strings.LastIndex(s, sep)
	if i < 0 {
		return s, "", false
	}
	return s[:i], s[i+len(sep):], true
}
