package context_test

import (
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"strings"
	"sync"
	"testing"

	"heartmark/internal/testkit"
	"heartmark/schemas"
	"heartmark/schemas/context"
)

func newLoader(t *testing.T, extra ...context.File) *context.Loader {
	t.Helper()
	l, err := context.New(extra...)
	if err != nil {
		t.Fatal(err)
	}
	return l
}

func file(url, data string) context.File {
	sum := sha256.Sum256([]byte(data))
	return context.File{URL: url, Data: []byte(data), SHA256: hex.EncodeToString(sum[:])}
}

// index is what the shared contexts' index.json says of one address.
type index map[string]struct {
	File   string `json:"file"`
	Source string `json:"source"`
	SHA256 string `json:"sha256"`
	SHA384 string `json:"sha384"`
}

func readIndex(t *testing.T) (dir string, idx index) {
	t.Helper()
	dir = testkit.Shared(t, "vectors/contexts")
	data, err := os.ReadFile(filepath.Join(dir, "index.json"))
	if err != nil {
		t.Fatal(err)
	}
	if err := json.Unmarshal(data, &idx); err != nil {
		t.Fatal(err)
	}
	return dir, idx
}

// The embedded copies mean the same as the published bytes: equal as JSON.
func TestEmbeddedEqualPublished(t *testing.T) {
	t.Parallel()
	dir, idx := readIndex(t)
	interop, err := context.Interop()
	if err != nil {
		t.Fatal(err)
	}
	l := newLoader(t, interop...)
	if n := len(l.URLs()); n < 15 {
		t.Fatalf("only %d contexts", n)
	}
	for _, url := range l.URLs() {
		entry, ok := idx[url]
		if !ok {
			t.Errorf("%s is not among the published contexts", url)
			continue
		}
		want, err := os.ReadFile(filepath.Join(dir, entry.File))
		if err != nil {
			t.Fatal(err)
		}
		got, err := l.Document(url)
		if err != nil {
			t.Fatal(err)
		}
		a, errA := schemas.ParseJSON(got)
		b, errB := schemas.ParseJSON(want)
		if errA != nil || errB != nil || !reflect.DeepEqual(a, b) {
			t.Errorf("%s differs from its published form (%v, %v)", url, errA, errB)
		}
	}
}

func TestPublishedDigests(t *testing.T) {
	t.Parallel()
	_, idx := readIndex(t)
	l := newLoader(t)
	for _, url := range l.URLs() {
		got := context.PublishedDigests(url)
		if len(got) == 0 || got[0].SHA256 != idx[url].SHA256 || got[0].SHA384 != idx[url].SHA384 {
			t.Errorf("PublishedDigests(%s) = %v, want %v first", url, got, idx[url])
		}
	}
	if got := context.PublishedDigests("https://www.w3.org/ns/credentials/v2"); len(got) != 2 || got[1].SHA384 != "NSOcNpmdIVUxIJGvGUoe22FjTWrXiaXlsZ8q6912LdnR3KraQO2n75Ica4wK4Qeg" {
		t.Errorf("PublishedDigests of the v2 context = %v, want both published versions", got)
	}
	if got := context.PublishedDigests("https://www.w3.org/ns/credentials/v3"); got != nil {
		t.Errorf("PublishedDigests of an unknown address = %v, want nil", got)
	}
	data, err := l.Document("https://a.example/contexts/dei/v1")
	if err != nil {
		t.Fatal(err)
	}
	s256, s384 := sha256.Sum256(data), sha512.Sum384(data)
	want := []context.Digest{{SHA256: hex.EncodeToString(s256[:]), SHA384: base64.StdEncoding.EncodeToString(s384[:])}}
	if got := context.PublishedDigests("https://a.example/contexts/dei/v1"); !reflect.DeepEqual(got, want) {
		t.Errorf("PublishedDigests of the DEI context = %v, want %v", got, want)
	}
}

func TestDocumentDEI(t *testing.T) {
	t.Parallel()
	l := newLoader(t)
	for _, url := range []string{
		"https://heartmark.example/contexts/dei/v1", "https://a.example:8443/contexts/dei/v1",
		"http://localhost:8080/contexts/dei/v1", "http://localhost/contexts/dei/v1", "http://127.0.0.1:1/contexts/dei/v1",
	} {
		if data, err := l.Document(url); err != nil || !strings.Contains(string(data), "https://w3id.org/heartmark/dei#") {
			t.Errorf("Document(%s) = %.20s, %v; want the DEI context", url, data, err)
		}
	}
}

func TestSEC_030_DocumentRefuses(t *testing.T) {
	t.Parallel()
	l := newLoader(t)
	for _, url := range []string{
		"", "https://www.w3.org/ns/credentials/v2/", "http://www.w3.org/ns/credentials/v2", "https://www.w3.org/ns/credentials/v2#", "https://WWW.w3.org/ns/credentials/v2",
		"https://www.w3.org/ns/credentials/undefined-terms/v2", "https://www.w3.org/ns/credentials/examples/v2", " https://www.w3.org/ns/credentials/v2",
		"http://a.example/contexts/dei/v1", "https://user@a.example/contexts/dei/v1", "https:///contexts/dei/v1", "https://:443/contexts/dei/v1", "/contexts/dei/v1",
		"https://a.example/x/contexts/dei/v1", "https://a.example/?/contexts/dei/v1", "https://a.example/#/contexts/dei/v1", "https://a.example/contexts/dei/v1?x",
		"https://a.example/contexts/dei/v1#", "https://a.example/contexts/dei/v1/", "https://a.example//contexts/dei/v1", "https://a.example/contexts/dei/%76%31",
		"https://A.example/contexts/dei/v1", "https://a.example/contexts/dei/v2", "ftp://a.example/contexts/dei/v1", "http://localhost.a.example/contexts/dei/v1",
		"http://127.0.0.1.a.example/contexts/dei/v1", "file:///contexts/dei/v1", "https://" + strings.Repeat("a", 600) + "/contexts/dei/v1",
	} {
		if l.Knows(url) {
			t.Errorf("Knows(%q) = true", url)
		}
		if data, err := l.Document(url); !errors.Is(err, context.ErrUnknownContext) {
			t.Errorf("Document(%q) = %.20s, %v; want ErrUnknownContext", url, data, err)
		}
	}
}

func TestExtraContexts(t *testing.T) {
	t.Parallel()
	good := file("https://a.example/c/v1", `{"@context":{"@version":1.1,"memberLevel":"https://a.example/#memberLevel"}}`)
	l := newLoader(t, good)
	if data, err := l.Document(good.URL); err != nil || string(data) != string(good.Data) {
		t.Errorf("Document of an extra context = %s, %v", data, err)
	}
	wrong := good
	wrong.SHA256 = strings.Repeat("0", 64)
	upper := good
	upper.SHA256 = strings.ToUpper(good.SHA256)
	none := good
	none.SHA256 = ""
	for name, f := range map[string]context.File{"wrong digest": wrong, "upper-case digest": upper, "no digest": none} {
		if _, err := context.New(f); !errors.Is(err, context.ErrDigest) {
			t.Errorf("New with %s = %v, want ErrDigest", name, err)
		}
	}
	for name, f := range map[string]context.File{
		"replaces the v2 context":  file("https://www.w3.org/ns/credentials/v2", `{"@context":{}}`),
		"replaces the DEI context": file("https://a.example/contexts/dei/v1", `{"@context":{}}`),
		"not JSON":                 file("https://a.example/c", `{"@context":{}`),
		"twice a term":             file("https://a.example/c", `{"@context":{"a":"b:c","a":"d:e"}}`),
		"not an object":            file("https://a.example/c", `[]`),
		"no context":               file("https://a.example/c", `{}`),
		"relative address":         file("/c", `{"@context":{}}`),
		"other scheme":             file("file:///c", `{"@context":{}}`),
		"names another context":    file("https://a.example/c", `{"@context":"https://a.example/d"}`),
		"names another in a list":  file("https://a.example/c", `{"@context":[{},"https://a.example/c"]}`),
		"names another in a term":  file("https://a.example/c", `{"@context":{"a":{"@id":"b:c","@context":{"d":{"@id":"e:f","@context":["https://a.example/c"]}}}}}`),
		"imports another":          file("https://a.example/c", `{"@context":{"@version":1.1,"@import":"https://www.w3.org/ns/credentials/v2"}}`),
	} {
		if _, err := context.New(f); err == nil {
			t.Errorf("New with a file that %s: no error", name)
		}
	}
	if _, err := context.New(good, good); err == nil {
		t.Error("New with the same address twice: no error")
	}
}

// What a caller does to its copy does not reach the next caller, also while others read.
func TestDocumentsAreCopies(t *testing.T) {
	t.Parallel()
	l := newLoader(t)
	const url = "https://www.w3.org/ns/credentials/v2"
	want, err := l.Document(url)
	if err != nil {
		t.Fatal(err)
	}
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			got, err := l.Document(url)
			if err != nil || string(got) != string(want) {
				t.Errorf("Document changed (%v)", err)
				return
			}
			for i := range got {
				got[i] = 'x'
			}
		})
	}
	wg.Wait()
}

func TestNoticeNamesEveryFile(t *testing.T) {
	t.Parallel()
	notice, err := os.ReadFile("NOTICE.md")
	if err != nil {
		t.Fatal(err)
	}
	files, err := filepath.Glob("files/*.jsonld")
	if err != nil || len(files) != len(context.Table()) {
		t.Fatalf("%d files, %d entries (%v)", len(files), len(context.Table()), err)
	}
	for _, f := range files {
		data, err := os.ReadFile(f)
		if err != nil {
			t.Fatal(err)
		}
		sum := sha256.Sum256(data)
		if line := filepath.Base(f); !strings.Contains(string(notice), "| "+line+" |") || !strings.Contains(string(notice), hex.EncodeToString(sum[:])) {
			t.Errorf("NOTICE.md lacks %s or its digest", line)
		}
	}
	for _, e := range context.Table() {
		if e.Package == "" || e.Version == "" || e.Licence == "" {
			t.Errorf("table entry %s is incomplete", e.URL)
		}
	}
}
