// Package archtest holds the import rule: every package has a row, imports only lower rows, and inside its own row only
// its own top folder; a heavy library has one home.
package archtest_test

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"heartmark/internal/testkit"
)

const module = "heartmark"

// row is one line of the map: every package at or below prefix has this number.
type row struct {
	prefix string
	number int
}

// rows lists the map from the most to the least special prefix.
var rows = []row{
	{"schemas", 0},
	{"internal/keys", 1},
	{"internal/fetch", 1},
	{"internal/obs", 1},
	{"internal/qrcode", 1},
	{"internal/did", 2},
	{"internal/login", 2},
	{"internal/statuslist", 2},
	{"internal/proof/jose", 1}, // under sdjwt, which is built on it
	{"internal/proof/dataintegrity", 2},
	{"internal/proof/sdjwt", 2},
	{"issuer", 3},
	{"verifier", 3},
	{"registry", 3},
	{"assessment", 3},
	{"api", 4},
	{"internal/store/badger", 4},
	{"internal/store/postgres", 4},
	{"internal/app", 5},
	{"internal/config", 4},
	{"cmd", 6},
}

// testOnly are packages that only test files import.
var testOnly = []string{"internal/testkit", "internal/archtest", "internal/store/storetest", "test"}

// homes says where a heavy library may be imported by code that is not a test.
var homes = map[string][]string{
	"github.com/hyperledger/aries-framework-go": {"internal/keys", "internal/did", "internal/proof/dataintegrity"},
	"github.com/piprate/json-gold":              {"internal/proof/dataintegrity"},
	"github.com/oasisprotocol/curve25519-voi":   {"internal/proof/dataintegrity"},
	"github.com/lestrrat-go/jwx":                {"internal/proof/jose", "internal/keys"},
	"github.com/labstack/echo":                  {"api"},
	"github.com/dgraph-io/badger":               {"internal/store/badger"},
	"github.com/jackc/pgx":                      {"internal/store/postgres"},
	"github.com/yalue/onnxruntime_go":           {"assessment/onnx"},
	"github.com/coder/websocket":                {"api/liveapi"},
	"codeberg.org/go-pdf/fpdf":                  {"assessment/pdf"},
	"github.com/transparency-dev/tessera":       {"registry/translog"},
	"github.com/santhosh-tekuri/jsonschema":     {"schemas/jsonschema"},
	"github.com/spf13/cobra":                    {"internal/app", "cmd"},
	"github.com/skip2/go-qrcode":                {"internal/qrcode"},
	"github.com/coreos/go-oidc":                 {"internal/login"},
	"golang.org/x/oauth2":                       {"internal/login"},
}

// bounded are programs that may import less than their row allows: what they list, and rows below 3.
var bounded = map[string][]string{
	"cmd/heartmark-verify": {"verifier"},
	"cmd/heartmark-wasm":   {"verifier", "registry/translog/inclusion", "api/ui/browser", "api/ui/verdict", "api/ui/words"},
}

func under(pkg, prefix string) bool { return pkg == prefix || strings.HasPrefix(pkg, prefix+"/") }

func isTestOnly(pkg string) bool {
	for _, p := range testOnly {
		if under(pkg, p) {
			return true
		}
	}
	return false
}

func rowOf(pkg string) (row, bool) {
	for _, r := range rows {
		if under(pkg, r.prefix) {
			return r, true
		}
	}
	return row{}, false
}

// imports walks the module and calls visit for each import of each Go file that is not a test.
func imports(t *testing.T, visit func(pkg, file, path string)) {
	t.Helper()
	root := testkit.Root(t)
	files := 0
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		name := d.Name()
		if d.IsDir() {
			if path != root && (strings.HasPrefix(name, ".") || name == "node_modules" || name == "testdata" || name == "work") {
				return filepath.SkipDir
			}
			return nil
		}
		if !strings.HasSuffix(name, ".go") || strings.HasSuffix(name, "_test.go") {
			return nil
		}
		rel, err := filepath.Rel(root, path)
		if err != nil {
			return err
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), path, nil, parser.ImportsOnly)
		if err != nil {
			return err
		}
		files++
		pkg := filepath.ToSlash(filepath.Dir(rel))
		for _, spec := range parsed.Imports {
			value, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			visit(pkg, rel, value)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	if files == 0 {
		t.Fatal("no Go files found")
	}
}

func TestImportRule(t *testing.T) {
	t.Parallel()
	imports(t, func(pkg, file, path string) {
		if isTestOnly(pkg) {
			return
		}
		from, ok := rowOf(pkg)
		if !ok {
			t.Errorf("%s: package %s has no row in the map", file, pkg)
			return
		}
		target, inside := strings.CutPrefix(path, module+"/")
		if !inside {
			return
		}
		if isTestOnly(target) {
			t.Errorf("%s imports %s, which is for tests only", file, target)
			return
		}
		to, ok := rowOf(target)
		switch {
		case !ok:
			t.Errorf("%s imports %s, which has no row in the map", file, target)
		case to.number > from.number:
			t.Errorf("%s (row %d) imports %s (row %d)", file, from.number, target, to.number)
		case to.number == from.number && to.prefix != from.prefix:
			t.Errorf("%s imports its sibling %s (both row %d)", file, target, to.number)
		case !withinBound(pkg, target, to.number):
			t.Errorf("%s imports %s; %s may import %s and rows below 3 only", file, target, pkg, strings.Join(bounded[pkg], ", "))
		}
	})
}

// withinBound reports whether a bounded program may import target; any other package may.
func withinBound(pkg, target string, number int) bool {
	allowed, bound := bounded[pkg]
	if !bound || number < 3 {
		return true
	}
	for _, a := range allowed {
		if under(target, a) {
			return true
		}
	}
	return false
}

// TestOfflineVerifierIsStatic holds what the off-line verifier promises: everything it is linked from stands at or below
// the verifier, without cgo, a store or a server.
func TestOfflineVerifierIsStatic(t *testing.T) {
	t.Parallel()
	command := exec.CommandContext(t.Context(), "go", "list", "-deps", "-f", "{{.ImportPath}} {{len .CgoFiles}}", "./cmd/heartmark-verify")
	command.Dir = testkit.Root(t)
	command.Env = append(os.Environ(), "CGO_ENABLED=0")
	out, err := command.Output()
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for line := range strings.Lines(string(out)) {
		path, cgo, _ := strings.Cut(strings.TrimSpace(line), " ")
		if cgo != "0" {
			t.Errorf("%s needs cgo", path)
		}
		pkg, inside := strings.CutPrefix(path, module+"/")
		if !inside {
			continue
		}
		found++
		if r, ok := rowOf(pkg); pkg != "cmd/heartmark-verify" && (!ok || !withinBound("cmd/heartmark-verify", pkg, r.number)) {
			t.Errorf("cmd/heartmark-verify is linked from %s", pkg)
		}
	}
	if found < 5 {
		t.Fatalf("only %d packages of ours in\n%s", found, out)
	}
}

func TestLibraryHomes(t *testing.T) {
	t.Parallel()
	imports(t, func(pkg, file, path string) {
		for library, allowed := range homes {
			if !under(path, library) {
				continue
			}
			home := false
			for _, a := range allowed {
				home = home || under(pkg, a)
			}
			if !home {
				t.Errorf("%s imports %s, whose home is %s", file, path, strings.Join(allowed, ", "))
			}
		}
	})
}
