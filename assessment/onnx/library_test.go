package onnx

import (
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func place(t *testing.T, content string, parts ...string) string {
	t.Helper()
	path := filepath.Join(parts...)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestFindLibraryOrder(t *testing.T) {
	t.Parallel()
	root := t.TempDir()
	name := libraryNames()[0]
	configured := place(t, "configured", root, "conf", name)
	environment := place(t, "environment", root, "env", name)
	beside := place(t, "good", root, "bin", name)
	deps := place(t, "good", root, "repo", ".deps", "onnxruntime", name)
	system := place(t, "good", root, "system", name)
	foreign := place(t, "foreign", root, "foreign", name)
	sum, err := fileDigest(beside)
	if err != nil {
		t.Fatal(err)
	}
	pin := []string{sum}
	inner := filepath.Join(root, "repo", "a", "b")
	cases := []struct {
		name   string
		search search
		path   string
		pinned bool
		err    error
	}{
		{"configuration first", search{configured: configured, environment: environment, program: filepath.Dir(beside), pinned: pin}, configured, false, nil},
		{"environment next", search{environment: environment, program: filepath.Dir(beside), pinned: pin}, environment, false, nil},
		{"beside the program", search{program: filepath.Dir(beside), working: inner, pinned: pin}, beside, true, nil},
		{"upward from the working folder", search{program: root, working: inner, pinned: pin}, deps, true, nil},
		{"system", search{program: root, system: []string{filepath.Dir(system)}, pinned: pin}, system, true, nil},
		{"configured and missing", search{configured: filepath.Join(root, "no"), program: filepath.Dir(beside), pinned: pin}, "", false, ErrLibraryMissing},
		{"found but not pinned", search{program: root, system: []string{filepath.Dir(foreign)}, pinned: pin}, "", false, ErrLibraryDigest},
		{"a pinned one behind a foreign one", search{program: root, system: []string{filepath.Dir(foreign), filepath.Dir(system)}, pinned: pin}, system, true, nil},
		{"nothing", search{program: root, pinned: pin}, "", false, ErrLibraryMissing},
	}
	for _, c := range cases {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			lib, err := c.search.find()
			if !errors.Is(err, c.err) || lib.Path != c.path || lib.Pinned != c.pinned {
				t.Errorf("find() = %+v, %v, want path %q, pinned %v, error %v", lib, err, c.path, c.pinned, c.err)
			}
		})
	}
}

func TestConfigValidate(t *testing.T) {
	t.Parallel()
	err := Config{Provider: "tpu", Workers: -1}.Validate()
	if err == nil {
		t.Fatal("Validate accepts a bad configuration")
	}
	for _, want := range []string{"model is required", `provider "tpu"`, "workers -1"} {
		if !strings.Contains(err.Error(), want) {
			t.Errorf("Validate = %q, want it to name %q", err, want)
		}
	}
}
