package app_test

import (
	"bytes"
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/x509"
	"crypto/x509/pkix"
	"encoding/base64"
	"encoding/json"
	"encoding/pem"
	"log/slog"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"heartmark/internal/app"
	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
	"heartmark/schemas"
	"heartmark/verifier"
	"heartmark/verifier/oid4vp"
)

func askLevel(tenant, prefix string) oid4vp.Ask {
	return oid4vp.Ask{
		Tenant: tenant, Prefix: prefix, Flow: oid4vp.CrossDevice,
		Template: &oid4vp.Template{Dimension: schemas.DimensionOverall, Level: schemas.LevelDeveloping},
	}
}

// authority is a certificate authority for one test.
type authority struct {
	key  *ecdsa.PrivateKey
	cert *x509.Certificate
}

func newAuthority(t *testing.T) authority {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, IsCA: true, BasicConstraintsValid: true,
		NotBefore: time.Now().Add(-time.Hour), NotAfter: time.Now().Add(24 * time.Hour),
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	return authority{key, cert}
}

// certify writes a chain for a key and host.
func (a authority) certify(t *testing.T, public crypto.PublicKey, host string, until time.Time) string {
	t.Helper()
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{
		SerialNumber: big.NewInt(2), DNSNames: []string{host}, NotBefore: a.cert.NotBefore, NotAfter: until,
	}, a.cert, public, a.key)
	if err != nil {
		t.Fatal(err)
	}
	var out bytes.Buffer
	for _, raw := range [][]byte{der, a.cert.Raw} {
		_ = pem.Encode(&out, &pem.Block{Type: "CERTIFICATE", Bytes: raw})
	}
	return write(t, out.Bytes())
}

func write(t *testing.T, data []byte) string {
	t.Helper()
	path := filepath.Join(t.TempDir(), "chain.pem")
	if err := os.WriteFile(path, data, 0o600); err != nil {
		t.Fatal(err)
	}
	return path
}

// TestSEC_136_MismatchedCertificate: the service starts only with a certificate of its own request key for its own host.
func TestSEC_136_MismatchedCertificate(t *testing.T) {
	c := settings(t, 18471)
	a := build(t, c, app.Options{})
	if _, err := a.Presentations.Create(t.Context(), askLevel("", oid4vp.PrefixX509)); err == nil {
		t.Fatal("a request in the name of a certificate that is not there")
	}
	if _, err := a.Presentations.Create(t.Context(), askLevel("", "")); err != nil {
		t.Fatal(err)
	}
	infos, err := a.Keys.List(t.Context(), "")
	if err != nil {
		t.Fatal(err)
	}
	var public crypto.PublicKey
	for _, info := range infos {
		if info.Kind == keys.KindRequestObject {
			if public, err = keys.ParseMultibase(info.PublicKeyMultibase); err != nil {
				t.Fatal(err)
			}
		}
	}
	if err := a.Close(); err != nil {
		t.Fatal(err)
	}
	ca, other := newAuthority(t), newAuthority(t)
	later, past := ca.cert.NotAfter, ca.cert.NotBefore.Add(time.Minute)
	for name, path := range map[string]string{
		"another host": ca.certify(t, public, "evil.example", later), "another key": ca.certify(t, &other.key.PublicKey, "localhost", later),
		"ended": ca.certify(t, public, "localhost", past), "no PEM": write(t, []byte("x")), "no file": "/nonexistent",
	} {
		c.Presentation.Certificate = path
		if broken, err := app.Build(t.Context(), c, slog.New(slog.DiscardHandler), app.Options{}); err == nil {
			_ = broken.Close()
			t.Errorf("%s: the service starts", name)
		} else if !strings.Contains(err.Error(), "presentation.certificate") {
			t.Errorf("%s: %v", name, err)
		}
	}
	c.Presentation.Certificate = ca.certify(t, public, "localhost", later)
	a = build(t, c, app.Options{})
	created, err := a.Presentations.Create(t.Context(), askLevel("demo", oid4vp.PrefixX509))
	if err != nil {
		t.Fatal(err)
	}
	object, err := a.Presentations.Request(t.Context(), created.RequestURI[strings.LastIndex(created.RequestURI, "/")+1:], oid4vp.Wallet{})
	if err != nil {
		t.Fatal(err)
	}
	token, err := jose.Parse(object)
	if err != nil || !token.Header.HasX5C || token.Verify(public) != nil || created.ClientID != "x509_san_dns:localhost" {
		t.Errorf("request of %s: %v", created.ClientID, err)
	}
	raw, _, _ := strings.Cut(object, ".")
	header, err := base64.RawURLEncoding.DecodeString(raw)
	if err != nil {
		t.Fatal(err)
	}
	var chain struct {
		X5C []string `json:"x5c"`
	}
	if err := json.Unmarshal(header, &chain); err != nil || len(chain.X5C) != 2 {
		t.Errorf("x5c has %d certificates, %v", len(chain.X5C), err)
	}
}

// TestCertificateRequest: the printed request is signed by the key that will sign requests to wallets.
func TestCertificateRequest(t *testing.T) {
	c := settings(t, 18472)
	t.Setenv("HEARTMARK_ORIGIN", c.Origin)
	t.Setenv("HEARTMARK_DATA_DIR", c.DataDir)
	t.Setenv("HEARTMARK_KEK_FILE", c.KEKFile)
	var out, errs bytes.Buffer
	if code := app.Main(t.Context(), []string{"keys", "csr"}, &out, &errs); code != 0 {
		t.Fatalf("exit %d: %s", code, &errs)
	}
	block, _ := pem.Decode(out.Bytes())
	if block == nil {
		t.Fatalf("no PEM: %s", &out)
	}
	request, err := x509.ParseCertificateRequest(block.Bytes)
	if err != nil || request.CheckSignature() != nil || len(request.DNSNames) != 1 || request.DNSNames[0] != "localhost" {
		t.Errorf("request %+v, %v", request, err)
	}
}

// TestReceiptVerifies: a receipt is a credential that our own verifier calls valid, under the default policy, and refuses
// with one byte changed.
func TestReceiptVerifies(t *testing.T) {
	a := build(t, settings(t, 18473), app.Options{InMemory: true})
	verdict, err := a.Verifier.Verify(t.Context(), verifier.Input{Data: []byte(`{"type":["VerifiableCredential"]}`)})
	if err != nil || verdict.Verdict != verifier.Invalid {
		t.Fatalf("%s, %v", verdict.Verdict, err)
	}
	compact, err := a.Statements().Receipt(t.Context(), "demo", verdict)
	if err != nil {
		t.Fatal(err)
	}
	r, err := a.Verifier.Verify(t.Context(), verifier.Input{Data: []byte(compact), MediaType: "application/vc+jwt"})
	if err != nil || r.Verdict != verifier.Valid {
		t.Errorf("receipt: %s, %v: %+v", r.Verdict, err, r.Checks)
	}
	middle := len(compact) / 2
	changed := []byte(compact)
	changed[middle] ^= 1
	if r, err := a.Verifier.Verify(t.Context(), verifier.Input{Data: changed, MediaType: "application/vc+jwt"}); err == nil && r.Verdict == verifier.Valid {
		t.Error("a changed receipt is valid")
	}
	if _, err := a.Statements().Receipt(t.Context(), "nobody", verdict); err == nil {
		t.Error("a receipt of a tenant that is not there")
	}
}
