package testkit

import (
	"os"
	"path/filepath"
	"testing"
)

// RequireShared is the environment variable that turns a skip for absent vectors into a failure; continuous
// integration sets it to 1.
const RequireShared = "HEARTMARK_REQUIRE_SHARED"

// SharedDir names the folder that holds the vectors and data; unset, it is looked for beside the project's root.
const SharedDir = "HEARTMARK_SHARED"

// Shared returns the folder or file rel (such as "vectors/rdf-canon") of the shared vectors and data. The test is
// skipped, naming rel, where it is absent, and fails instead when RequireShared is 1.
func Shared(t testing.TB, rel string) string {
	t.Helper()
	base := os.Getenv(SharedDir)
	if base == "" {
		base = filepath.Join(Root(t), "..", "shared")
	}
	path := filepath.Join(base, filepath.FromSlash(rel))
	if _, err := os.Stat(path); err != nil {
		if os.Getenv(RequireShared) == "1" {
			t.Fatalf("shared vectors %s are required here and absent: %v", rel, err)
		}
		t.Skipf("shared vectors %s are absent", rel)
	}
	return path
}

// Root returns the folder that holds go.mod, found upwards from the test's working folder.
func Root(t testing.TB) string {
	t.Helper()
	dir, err := os.Getwd()
	if err != nil {
		t.Fatal(err)
	}
	for {
		if _, err := os.Stat(filepath.Join(dir, "go.mod")); err == nil {
			return dir
		}
		parent := filepath.Dir(dir)
		if parent == dir {
			t.Fatal("no go.mod above the test's folder")
		}
		dir = parent
	}
}
