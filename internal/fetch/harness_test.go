package fetch_test

import (
	"context"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/tls"
	"crypto/x509"
	"crypto/x509/pkix"
	"math/big"
	"net"
	"net/http"
	"net/http/httptest"
	"net/netip"
	"sync"
	"testing"
	"time"

	"heartmark/internal/fetch"
	"heartmark/internal/testkit"
)

var start = time.Date(2026, 2, 1, 12, 0, 0, 0, time.UTC)

// internet plays the outside: names with addresses, and one server behind every public address.
type internet struct {
	mu      sync.Mutex // guards answers, lookups and dialled
	answers map[string][][]netip.Addr
	lookups map[string]int
	dialled []string

	server *httptest.Server
	roots  *x509.CertPool
	clock  *testkit.Clock
}

func newInternet(t *testing.T, h http.HandlerFunc) *internet {
	t.Helper()
	key, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	template := &x509.Certificate{
		SerialNumber: big.NewInt(1), Subject: pkix.Name{CommonName: "test"}, NotBefore: time.Now().Add(-time.Hour),
		NotAfter: time.Now().Add(time.Hour), DNSNames: []string{"issuer.example", "*.issuer.example"},
		IPAddresses: []net.IP{net.IPv4(127, 0, 0, 1)}, IsCA: true, BasicConstraintsValid: true,
	}
	der, err := x509.CreateCertificate(rand.Reader, template, template, &key.PublicKey, key)
	if err != nil {
		t.Fatal(err)
	}
	cert, err := x509.ParseCertificate(der)
	if err != nil {
		t.Fatal(err)
	}
	n := &internet{answers: map[string][][]netip.Addr{}, lookups: map[string]int{}, roots: x509.NewCertPool(), clock: testkit.NewClock(start)}
	n.roots.AddCert(cert)
	n.server = httptest.NewUnstartedServer(h)
	n.server.TLS = &tls.Config{Certificates: []tls.Certificate{{Certificate: [][]byte{der}, PrivateKey: key}}}
	n.server.StartTLS()
	t.Cleanup(n.server.Close)
	n.name("issuer.example", "93.184.216.34")
	return n
}

// name adds one answer for host; later answers come on later look-ups, the last one again and again.
func (n *internet) name(host string, addrs ...string) {
	var out []netip.Addr
	for _, a := range addrs {
		out = append(out, netip.MustParseAddr(a))
	}
	n.answers[host] = append(n.answers[host], out)
}

func (n *internet) LookupNetIP(_ context.Context, _, host string) ([]netip.Addr, error) {
	n.mu.Lock()
	defer n.mu.Unlock()
	answers := n.answers[host]
	if len(answers) == 0 {
		return nil, &net.DNSError{Err: "no such host", Name: host, IsNotFound: true}
	}
	i := min(n.lookups[host], len(answers)-1)
	n.lookups[host]++
	return answers[i], nil
}

func (n *internet) dial(ctx context.Context, network, address string) (net.Conn, error) {
	n.mu.Lock()
	n.dialled = append(n.dialled, address)
	n.mu.Unlock()
	return (&net.Dialer{}).DialContext(ctx, network, n.server.Listener.Addr().String())
}

func (n *internet) connections() []string {
	n.mu.Lock()
	defer n.mu.Unlock()
	return append([]string(nil), n.dialled...)
}

func (n *internet) client(t *testing.T, change func(*fetch.Config)) *fetch.Client {
	t.Helper()
	c := fetch.Config{Now: n.clock.Now, Resolver: n, Dial: n.dial, RootCAs: n.roots}
	if change != nil {
		change(&c)
	}
	client, err := fetch.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return client
}

func hello(w http.ResponseWriter, _ *http.Request) {
	w.Header().Set("Content-Type", "application/json; charset=utf-8")
	_, _ = w.Write([]byte(`{"hello":"world"}`))
}

var small = fetch.Limits{MaxBytes: 1 << 10, Accept: []string{"application/json"}}
