package issuer_test

import (
	"context"
	"crypto"
	"crypto/ed25519"
	"encoding/base64"
	"errors"
	"fmt"
	"maps"
	"path/filepath"
	"strconv"
	"sync"
	"testing"
	"time"

	"heartmark/internal/keys"
	"heartmark/internal/store/badger"
	"heartmark/internal/testkit"
	"heartmark/issuer"
	"heartmark/schemas"

	"github.com/google/uuid"
)

const origin = "https://heartmark.example"

var start = time.Date(2026, 1, 10, 9, 0, 0, 0, time.UTC)

// world is an issuer with everything around it. What stands outside the issuer survives a restart.
type world struct {
	t     testing.TB
	dir   string // of the store; "" in memory
	db    *badger.DB
	keys  *keys.Service
	clock *testkit.Clock
	iss   *issuer.Issuer
	wrap  func(issuer.Store) issuer.Store // put around the store, nil for none
	kek   string

	log     *fakeLog
	reports map[string]schemas.Attestation
	refuse  map[string]error // authority's answers by issuer
	conf    func(*issuer.Config)
	crashAt string
	reuse   bool // open goes on with the store that is open

	mu     sync.Mutex // guards signed
	signed []signature
}

// signature is one use of the credential key.
type signature struct {
	id    schemas.CredentialID
	group schemas.ListGroup
	index uint64
}

func newWorld(t testing.TB, onDisk bool) *world {
	t.Helper()
	w := &world{
		t: t, clock: testkit.NewClock(start), log: &fakeLog{}, kek: filepath.Join(t.TempDir(), "kek"),
		reports: map[string]schemas.Attestation{"r1": attestation()}, refuse: map[string]error{},
	}
	if onDisk {
		w.dir = filepath.Join(t.TempDir(), "data")
	}
	if err := keys.GenerateKEK(w.kek); err != nil {
		t.Fatal(err)
	}
	w.open()
	t.Cleanup(func() {
		if err := w.db.Close(); err != nil {
			t.Errorf("Close: %v", err)
		}
	})
	return w
}

func attestation() schemas.Attestation {
	return schemas.Attestation{
		ReportID: "r1", SubjectRef: "s1",
		Levels: []schemas.LevelClaim{
			{Dimension: schemas.DimensionSelfAwareness, Level: schemas.LevelProficient, Confidence: "0.96"},
			{Dimension: schemas.DimensionSocialAwareness, Level: schemas.LevelDeveloping, Confidence: "0.97"},
		},
		Method: "urn:heartmark:method:v1", Model: "heartmark-m1", ModelDigest: fmt.Sprintf("%064x", 7), Scale: "dei-scale-1-provisional",
		WindowStart: "2025-11-01", WindowEnd: "2026-01-09", Languages: []string{"en"}, Platforms: []string{"did:web:plaza.example"},
		BatchDigests: []string{fmt.Sprintf("%064x", 9)}, ConsentVersion: "2026-01",
		Purposes: []string{"process", "score", "issue", "automated"}, Audience: []string{"employers", "schools"}, Review: schemas.ReviewOnRequest,
	}
}

// open opens store, keys and issuer over what is there.
func (w *world) open() {
	w.t.Helper()
	var err error
	if w.db == nil || (w.dir != "" && !w.reuse) {
		db, err := badger.Open(badger.Config{Dir: w.dir, InMemory: w.dir == "", Unsafe: true})
		if err != nil {
			w.t.Fatalf("open store: %v", err)
		}
		w.db = db
	}
	w.keys, err = keys.Open(w.t.Context(), keys.Config{KEKFile: w.kek, Store: w.db, Now: w.clock.Now, Controller: did})
	if err != nil {
		w.t.Fatalf("open keys: %v", err)
	}
	var store issuer.Store = w.db
	if w.wrap != nil {
		store = w.wrap(store)
	}
	c := issuer.Config{
		Origin: origin, Store: store, Signers: w, Securer: w, Sealer: w.keys, Reports: w, Authorities: w, Issuers: w,
		Publisher: w.log, Now: w.clock.Now, NewID: uuid.NewString, Crash: w.crash,
	}
	if w.conf != nil {
		w.conf(&c)
	}
	if w.iss, err = issuer.New(c); err != nil {
		w.t.Fatalf("New: %v", err)
	}
}

// restart closes the store, opens it again and recovers.
func (w *world) restart() issuer.RecoveryReport {
	w.t.Helper()
	w.crashAt = ""
	if w.dir != "" {
		if err := w.db.Close(); err != nil {
			w.t.Fatalf("Close: %v", err)
		}
	}
	w.open()
	report, err := w.iss.Recover(w.t.Context())
	if err != nil {
		w.t.Fatalf("Recover: %v", err)
	}
	return report
}

// errCrash is what crash panics with.
var errCrash = errors.New("crash")

func (w *world) crash(point string) {
	if point == w.crashAt {
		w.crashAt = ""
		panic(errCrash)
	}
}

// survive runs f and reports whether it ended by a crash.
func survive(f func()) (crashed bool) {
	defer func() {
		if r := recover(); r != nil {
			if r != any(errCrash) {
				panic(r)
			}
			crashed = true
		}
	}()
	f()
	return false
}

func did(tenant string) string { return "did:web:heartmark.example:" + tenant }

func (w *world) CredentialSigner(ctx context.Context, tenant, alg string) (issuer.Signer, error) {
	h, err := w.keys.SignerWith(ctx, tenant, keys.KindCredential, alg)
	if errors.Is(err, keys.ErrNotFound) {
		if _, err := w.keys.Create(ctx, tenant, keys.KindCredential, alg); err != nil {
			return nil, err
		}
		h, err = w.keys.SignerWith(ctx, tenant, keys.KindCredential, alg)
	}
	return h, err
}

// Secure signs the deterministic JSON of the document. The real securer is tested in its own package.
func (w *world) Secure(doc map[string]any, p issuer.Proof, signer crypto.Signer) (map[string]any, error) {
	data, err := schemas.Marshal(doc)
	if err != nil {
		return nil, err
	}
	sig, err := signer.Sign(nil, data, crypto.Hash(0))
	if err != nil {
		return nil, err
	}
	w.note(doc)
	out := maps.Clone(doc)
	out["proof"] = []any{map[string]any{
		"type": "DataIntegrityProof", "cryptosuite": p.Cryptosuite, "proofPurpose": "assertionMethod",
		"created": schemas.FormatTime(p.Created), "verificationMethod": p.VerificationMethod,
		"proofValue": "z" + base64.RawURLEncoding.EncodeToString(sig),
	}}
	return out, nil
}

func (w *world) note(doc map[string]any) {
	entry, ok := doc["credentialStatus"].(map[string]any)
	if !ok {
		entry = doc["credentialStatus"].([]any)[0].(map[string]any)
	}
	index, err := strconv.ParseUint(entry["statusListIndex"].(string), 10, 64)
	if err != nil {
		w.t.Errorf("statusListIndex: %v", err)
	}
	list := entry["statusListCredential"].(string)
	w.mu.Lock()
	defer w.mu.Unlock()
	w.signed = append(w.signed, signature{
		id: schemas.CredentialID(doc["id"].(string)), group: schemas.ListGroup(filepath.Base(filepath.Dir(list))), index: index,
	})
}

// verify checks an issued credential's proof.
func (w *world) verify(credential []byte) error {
	doc, err := schemas.ParseObject(credential)
	if err != nil {
		return err
	}
	proof := doc["proof"].([]any)[0].(map[string]any)
	delete(doc, "proof")
	data, err := schemas.Marshal(doc)
	if err != nil {
		return err
	}
	infos, err := w.keys.List(w.t.Context(), "acme")
	if err != nil {
		return err
	}
	sig, err := base64.RawURLEncoding.DecodeString(proof["proofValue"].(string)[1:])
	if err != nil {
		return err
	}
	for _, info := range infos {
		if info.VerificationMethod == proof["verificationMethod"] && ed25519.Verify(info.Public.(ed25519.PublicKey), data, sig) {
			return nil
		}
	}
	return errors.New("no key verifies it")
}

func (w *world) Attestation(_ context.Context, tenant, id, _ string) (schemas.Attestation, error) {
	a, ok := w.reports[id]
	if !ok || tenant == "stranger" {
		return schemas.Attestation{}, issuer.ErrNotFound
	}
	return a, nil
}

func (w *world) MayIssue(_ context.Context, q issuer.AuthorityQuery) error {
	if q.Resource != origin+"/achievements/dei/profile/v1" && q.Resource != origin+"/achievements/dei/self_awareness/v1" {
		return fmt.Errorf("resource %q: %w", q.Resource, issuer.ErrNotAuthorised)
	}
	return w.refuse[q.Issuer]
}

func (w *world) Issuer(_ context.Context, tenant string) (schemas.IssuerProfile, error) {
	if tenant == "closed" {
		return schemas.IssuerProfile{}, issuer.ErrNotFound
	}
	return schemas.IssuerProfile{ID: did(tenant), Name: "Acme", URL: "https://acme.example"}, nil
}

// fakeLog is a log in memory.
type fakeLog struct {
	mu      sync.Mutex // guards the fields below
	entries []string
	fail    error
}

func (l *fakeLog) Publish(_ context.Context, e schemas.LogEntry) (uint64, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	if l.fail != nil {
		return 0, l.fail
	}
	l.entries = append(l.entries, string(e.Encode()))
	return uint64(len(l.entries) - 1), nil
}

func (l *fakeLog) Proof(_ context.Context, index uint64) (schemas.LogProof, error) {
	l.mu.Lock()
	defer l.mu.Unlock()
	return schemas.LogProof{Index: index, TreeSize: uint64(len(l.entries))}, nil
}

func request(key string) issuer.Request {
	return issuer.Request{
		Tenant: "acme", Configuration: "dei-profile", ReportID: "r1", IdempotencyKey: key,
		HolderID: "did:key:z6MkhaXgBZDvotDkL5257faiztiGiC2QtKLGpbnnEGta2doK",
	}
}

func bit(bits []byte, index uint64) bool { return bits[index/8]&(0x80>>(index%8)) != 0 }

// revoked reports whether the revocation bit of an index is set.
func (w *world) revoked(group schemas.ListGroup, index uint64) bool {
	w.t.Helper()
	_, bits, err := w.iss.ListState(w.t.Context(), group, schemas.PurposeRevocation)
	if err != nil {
		w.t.Fatalf("ListState: %v", err)
	}
	return bit(bits, index)
}

// audits counts the audit entries of an event.
func (w *world) audits(event string) (n int) {
	w.t.Helper()
	cursor := ""
	for {
		events, next, err := w.db.Audit(w.t.Context(), cursor, 100)
		if err != nil {
			w.t.Fatalf("Audit: %v", err)
		}
		for _, e := range events {
			if e.Event == event {
				n++
			}
		}
		if cursor = next; next == "" {
			return n
		}
	}
}
