package api_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"heartmark/api/problem"
	"heartmark/internal/testkit"
)

// unreachable are sentinels of row 3 that no route can return, each with the reason.
var unreachable = map[string]string{
	"verifier.ErrKeyNotFound":   "a finding of a check, never an error of Verify",
	"verifier.ErrKeyPurpose":    "a finding of a check, never an error of Verify",
	"verifier.ErrKeyController": "a finding of a check, never an error of Verify",
	"verifier.ErrOffline":       "a finding of a check, never an error of Verify",
	"verifier.ErrLogMismatch":   "a finding of a check, never an error of Verify",
	"oid4vci.ErrExists":         "between service and store",
	"receipt.ErrNoDigest":       "the edge gives every result a digest",
	"oid4vp.ErrExists":          "between service and store",
	"registry.ErrLogBehind":     "stops the start; on a running server it is a fault of ours",
	"translog.ErrDamaged":       "a fault of ours, 500",
	"translog.ErrFork":          "of those who follow another log: an alarm",
	"inclusion.ErrCheckpoint":   "of those who check a log proof: a finding",
	"inclusion.ErrProof":        "of those who check a log proof: a finding",
	"schemas.ErrTenantName":     "of whoever makes tenants: the command line",
}

// TestEverySentinelHasAnAnswer reads the sources of row 3 and holds that each exported sentinel stands in the table, or
// among those that no route returns.
func TestEverySentinelHasAnAnswer(t *testing.T) {
	t.Parallel()
	root := testkit.Root(t)
	table, err := os.ReadFile(filepath.Join(root, "api", "problem", "table.go"))
	if err != nil {
		t.Fatal(err)
	}
	found := 0
	for _, dir := range []string{
		"schemas", "issuer", "issuer/oid4vci", "verifier", "verifier/oid4vp", "verifier/policies", "verifier/bulk", "verifier/receipt", "registry", "registry/translog", "registry/translog/inclusion",
		"assessment", "assessment/evidence", "assessment/intake", "assessment/training", "assessment/review", "assessment/live",
	} {
		for _, name := range sentinels(t, filepath.Join(root, dir)) {
			found++
			qualified := filepath.Base(dir) + "." + name
			inTable := strings.Contains(string(table), "Err: "+qualified+",")
			_, excused := unreachable[qualified]
			if inTable == excused {
				t.Errorf("%s: in the table %v, excused %v; want exactly one", qualified, inTable, excused)
			}
		}
	}
	if found < 30 {
		t.Fatalf("only %d sentinels found", found)
	}
	catalog, err := problem.New(origin)
	if err != nil {
		t.Fatal(err)
	}
	for _, e := range problem.Table() {
		if !slices.Contains(catalog.Codes(), e.Code) {
			t.Errorf("code %q has no page", e.Code)
		}
	}
}

// sentinels returns the names of the package's exported error variables.
func sentinels(t *testing.T, dir string) []string {
	t.Helper()
	files, err := filepath.Glob(filepath.Join(dir, "*.go"))
	if err != nil || len(files) == 0 {
		t.Fatalf("no sources in %s: %v", dir, err)
	}
	var names []string
	for _, file := range files {
		if strings.HasSuffix(file, "_test.go") {
			continue
		}
		parsed, err := parser.ParseFile(token.NewFileSet(), file, nil, 0)
		if err != nil {
			t.Fatal(err)
		}
		for _, decl := range parsed.Decls {
			general, ok := decl.(*ast.GenDecl)
			if !ok || general.Tok != token.VAR {
				continue
			}
			for _, spec := range general.Specs {
				for _, name := range spec.(*ast.ValueSpec).Names {
					if strings.HasPrefix(name.Name, "Err") {
						names = append(names, name.Name)
					}
				}
			}
		}
	}
	return names
}
