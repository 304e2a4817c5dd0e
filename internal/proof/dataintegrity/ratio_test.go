package dataintegrity_test

import (
	"bufio"
	"crypto/ed25519"
	"encoding/json"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"heartmark/internal/keys"
	"heartmark/internal/proof/dataintegrity"
	"heartmark/internal/testkit"
	"heartmark/schemas"
	"heartmark/schemas/context"

	"github.com/hyperledger/aries-framework-go/component/models/signature/api"
	"github.com/hyperledger/aries-framework-go/pkg/doc/signature/jsonld"
	"github.com/hyperledger/aries-framework-go/pkg/doc/signature/signer"
	"github.com/hyperledger/aries-framework-go/pkg/doc/signature/suite"
	"github.com/hyperledger/aries-framework-go/pkg/doc/signature/suite/ed25519signature2020"
	"github.com/hyperledger/aries-framework-go/pkg/doc/signature/verifier"
	"github.com/piprate/json-gold/ld"
)

// nodeVariable names the folder with test/nodebench and its installed packages; `make bench` sets it where there is npm.
const nodeVariable = "HEARTMARK_NODE_BENCH"

// BenchmarkRatios holds signing and verifying of one DEI credential, in process and with warm caches, against the bare
// signature and other implementations. They take turns within one run, so that a busy machine disturbs all alike, and
// the least time counts, which others' work does not lengthen; what is reported is how many times a bare signature or
// check each costs.
func BenchmarkRatios(b *testing.B) {
	for name, build := range map[string]func() (map[string]any, error){
		"profile":   profileCredential().Document, // the default: five levels, every rubric in words
		"dimension": smallCredential().Document,   // one dimension
		"bare":      bareDocument,                 // one dimension without rubrics, as of a tenant's own achievement
	} {
		b.Run(name, func(b *testing.B) {
			sign, verify := contenders(b, build)
			b.Run("sign", func(b *testing.B) { testkit.Ratios(b, sign) })
			b.Run("verify", func(b *testing.B) { testkit.Ratios(b, verify) })
		})
	}
}

// bareDocument is smallCredential without the words of its achievement.
func bareDocument() (map[string]any, error) {
	doc, err := smallCredential().Document()
	if err != nil {
		return nil, err
	}
	achievement := doc["credentialSubject"].(map[string]any)["achievement"].(map[string]any)
	for _, name := range []string{"resultDescription", "alignment", "related"} {
		delete(achievement, name)
	}
	delete(doc["credentialSubject"].(map[string]any), "result")
	return doc, nil
}

// contenders are those who sign and those who verify what build makes, the bare signature first.
func contenders(b *testing.B, build func() (map[string]any, error)) (sign, verify []testkit.Contender) {
	b.Helper()
	doc, err := build()
	if err != nil {
		b.Fatal(err)
	}
	doc = clone(b, doc)
	p, key := newProcessor(b), testKey(1)
	public := key.Public().(ed25519.PublicKey)
	method := assertion("").VerificationMethod
	signed, err := p.Sign(doc, assertion(""), key)
	if err != nil {
		b.Fatal(err)
	}
	signed = clone(b, signed)
	proof := firstProof(b, signed)
	wire, err := schemas.Marshal(signed)
	if err != nil {
		b.Fatal(err)
	}
	message := make([]byte, 64)
	signature := ed25519.Sign(key, message)
	standard := p.WithStandardEd25519()
	parseAndCheck := func(p *dataintegrity.Processor) func() error {
		return func() error {
			doc, err := schemas.ParseObject(wire)
			if err != nil {
				return err
			}
			return p.Check(doc, doc["proof"].([]any)[0].(map[string]any), public)
		}
	}
	sign = []testkit.Contender{
		testkit.Timed("bare signature", 50, func() error { ed25519.Sign(key, message); return nil }),
		testkit.Timed("Sign", 20, func() error { _, err := p.Sign(doc, assertion(""), key); return err }),
		testkit.Timed("build and Sign", 20, func() error {
			doc, err := build()
			if err == nil {
				_, err = p.Sign(doc, assertion(""), key)
			}
			return err
		}),
	}
	verify = []testkit.Contender{
		testkit.Timed("bare check", 50, func() error { ed25519.Verify(public, message, signature); return nil }),
		testkit.Timed("Check", 20, func() error { return p.Check(signed, proof, public) }),
		testkit.Timed("Check by standard library", 20, func() error { return standard.Check(signed, proof, public) }),
		testkit.Timed("parse and Check", 20, parseAndCheck(p)),
		testkit.Timed("json-gold", 1, goldCheck(b, signed, proof, public)),
	}
	ariesSign, ariesVerify := aries(b, doc, key)
	sign = append(sign, testkit.Timed("aries Ed25519Signature2020", 1, ariesSign))
	verify = append(verify, testkit.Timed("aries Ed25519Signature2020", 1, ariesVerify))
	if folder := os.Getenv(nodeVariable); folder != "" {
		node := startNode(b, folder, doc, signed, method, key)
		sign = append(sign, testkit.Contender{Name: "@digitalbazaar/vc", Run: func() []float64 { return node.run(b, "sign", 2) }})
		verify = append(verify, testkit.Contender{Name: "@digitalbazaar/vc", Run: func() []float64 { return node.run(b, "verify", 2) }})
	}
	canonical, err := p.Canonical(doc)
	if err != nil {
		b.Fatal(err)
	}
	b.Logf("credential of %d bytes, %d statements, %d bytes canonical", len(wire), strings.Count(string(canonical), "\n"), len(canonical))
	return sign, verify
}

// goldCheck verifies by json-gold's own expansion and canonicalisation, with contexts that are parsed already.
func goldCheck(b *testing.B, signed, proof map[string]any, key ed25519.PublicKey) func() error {
	b.Helper()
	options := ld.NewJsonLdOptions("")
	options.DocumentLoader, options.Format, options.Algorithm = parsedContexts(b), "application/n-quads", ld.AlgorithmURDNA2015
	options.ProcessingMode = ld.JsonLd_1_1
	without := func(m map[string]any, name string, context any) map[string]any {
		out := map[string]any{"@context": context}
		for k, v := range m {
			if k != name && k != "@context" {
				out[k] = v
			}
		}
		return out
	}
	value, err := dataintegrity.DecodeValue(proof["proofValue"].(string), ed25519.SignatureSize)
	if err != nil {
		b.Fatal(err)
	}
	return func() error {
		var data []byte
		for _, m := range []map[string]any{without(proof, "proofValue", signed["@context"]), without(signed, "proof", signed["@context"])} {
			text, err := ld.NewJsonLdProcessor().Normalize(m, options)
			if err != nil {
				return err
			}
			data = dataintegrity.SHA256(data, []byte(text.(string)))
		}
		if !ed25519.Verify(key, data, value) {
			return fmt.Errorf("json-gold's form of the credential does not verify")
		}
		return nil
	}
}

// parsedContexts is a json-gold loader of contexts that were parsed once.
func parsedContexts(b *testing.B) ld.DocumentLoader {
	b.Helper()
	loader, err := context.New()
	if err != nil {
		b.Fatal(err)
	}
	cached := ld.NewCachingDocumentLoader(nil)
	for _, address := range append(loader.URLs(), origin+context.DEIPath) {
		data, err := loader.Document(address)
		if err != nil {
			b.Fatal(err)
		}
		var doc any
		if err := json.Unmarshal(data, &doc); err != nil {
			b.Fatal(err)
		}
		cached.AddDocument(address, doc)
	}
	return cached
}

// aries signs and verifies a comparable credential of the data model 1.1: the same members, but for those that only 2.0 has.
func aries(b *testing.B, doc map[string]any, key ed25519.PrivateKey) (sign, verify func() error) {
	b.Helper()
	old := clone(b, doc)
	old["@context"] = []any{dataintegrity.ContextV1, "https://purl.imsglobal.org/spec/ob/v3p0/context.json", origin + context.DEIPath, "https://w3id.org/security/suites/ed25519-2020/v1"}
	old["issuanceDate"], old["expirationDate"] = old["validFrom"], old["validUntil"]
	for _, name := range []string{"validFrom", "validUntil", "credentialSchema", "credentialStatus", "termsOfUse"} {
		delete(old, name)
	}
	data, err := schemas.Marshal(old)
	if err != nil {
		b.Fatal(err)
	}
	loader := parsedContexts(b)
	created := assertion("").Created
	how := &signer.Context{SignatureType: "Ed25519Signature2020", Created: &created, VerificationMethod: assertion("").VerificationMethod, Purpose: "assertionMethod"}
	by := signer.New(ed25519signature2020.New(suite.WithSigner(rawSigner{key})))
	signed, err := by.Sign(how, data, jsonld.WithDocumentLoader(loader))
	if err != nil {
		b.Fatal(err)
	}
	checker, err := verifier.New(rawKey{key.Public().(ed25519.PublicKey)}, ed25519signature2020.New(suite.WithVerifier(ed25519signature2020.NewPublicKeyVerifier())))
	if err != nil {
		b.Fatal(err)
	}
	sign = func() error { _, err := by.Sign(how, data, jsonld.WithDocumentLoader(loader)); return err }
	return sign, func() error { return checker.Verify(signed, jsonld.WithDocumentLoader(loader)) }
}

type rawSigner struct{ key ed25519.PrivateKey }

func (s rawSigner) Sign(data []byte) ([]byte, error) { return ed25519.Sign(s.key, data), nil }
func (rawSigner) Alg() string                        { return "EdDSA" }

type rawKey struct{ key ed25519.PublicKey }

func (k rawKey) Resolve(string) (*api.PublicKey, error) {
	return &api.PublicKey{Type: "Ed25519VerificationKey2020", Value: k.key}, nil
}

// node is test/nodebench/credential.mjs.
type node struct {
	in  io.Writer
	out *bufio.Scanner
}

func startNode(b *testing.B, folder string, doc, signed map[string]any, method string, key ed25519.PrivateKey) *node {
	b.Helper()
	loader, err := context.New()
	if err != nil {
		b.Fatal(err)
	}
	contexts := map[string]json.RawMessage{}
	for _, address := range append(loader.URLs(), origin+context.DEIPath) {
		if contexts[address], err = loader.Document(address); err != nil {
			b.Fatal(err)
		}
	}
	public, err := keys.Multibase(key.Public())
	if err != nil {
		b.Fatal(err)
	}
	controller, _, _ := strings.Cut(method, "#")
	work, err := json.Marshal(map[string]any{
		"credential": doc, "signed": signed, "contexts": contexts, "controller": controller, "method": method,
		"publicKeyMultibase": public, "secretKeyMultibase": dataintegrity.EncodeValue(append([]byte{0x80, 0x26}, key.Seed()...)),
	})
	if err != nil {
		b.Fatal(err)
	}
	file := filepath.Join(b.TempDir(), "work.json")
	if err := os.WriteFile(file, work, 0o600); err != nil {
		b.Fatal(err)
	}
	cmd := exec.Command("node", "credential.mjs", file)
	cmd.Dir, cmd.Stderr = folder, os.Stderr
	in, err := cmd.StdinPipe()
	if err != nil {
		b.Fatal(err)
	}
	out, err := cmd.StdoutPipe()
	if err != nil {
		b.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() {
		_ = in.Close()
		_ = cmd.Wait()
	})
	return &node{in, bufio.NewScanner(out)}
}

func (n *node) run(b *testing.B, what string, times int) []float64 {
	b.Helper()
	if _, err := fmt.Fprintf(n.in, `{"what":%q,"times":%d}`+"\n", what, times); err != nil {
		b.Fatal(err)
	}
	if !n.out.Scan() {
		b.Fatalf("node answers nothing: %v", n.out.Err())
	}
	var answer struct{ Seconds []float64 }
	if err := json.Unmarshal(n.out.Bytes(), &answer); err != nil {
		b.Fatal(err)
	}
	return answer.Seconds
}
