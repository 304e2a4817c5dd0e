package keys_test

import (
	"bytes"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"heartmark/internal/keys"
	"heartmark/internal/testkit"
)

func TestGenerateKEK(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "secret", "kek")
	if err := keys.GenerateKEK(path); err != nil {
		t.Fatal(err)
	}
	info, err := os.Stat(path)
	if err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("mode %v, %v; want 0600", info.Mode(), err)
	}
	if err := keys.GenerateKEK(path); !errors.Is(err, fs.ErrExist) {
		t.Errorf("second GenerateKEK: %v, want ErrExist", err)
	}
	if err := keys.CheckKEK(path, t.TempDir()); err != nil {
		t.Errorf("CheckKEK: %v", err)
	}
}

func TestKEKSpellings(t *testing.T) {
	t.Parallel()
	key := []byte("\x00\xff\x10 abcdefghijklmnopqrstuvwxyz12")[:32]
	good := map[string]string{
		"raw":               string(key),
		"hex":               hex.EncodeToString(key),
		"hex and line end":  strings.ToUpper(hex.EncodeToString(key)) + "\r\n",
		"base64":            base64.StdEncoding.EncodeToString(key) + "\n",
		"base64url, no pad": base64.RawURLEncoding.EncodeToString(key),
	}
	for name, content := range good {
		path := filepath.Join(t.TempDir(), "kek")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := keys.CheckKEK(path, ""); err != nil {
			t.Errorf("%s: %v", name, err)
		}
	}
	bad := map[string]string{
		"empty":            "",
		"31 bytes":         string(key[:31]),
		"33 bytes":         string(key) + "x",
		"half a key":       hex.EncodeToString(key[:16]),
		"zeros":            string(make([]byte, 32)),
		"zeros in hex":     strings.Repeat("0", 64),
		"not hex":          strings.Repeat("g", 64),
		"not base64":       strings.Repeat("*", 43),
		"endless":          strings.Repeat("a", 1<<20),
		"32 letters of es": strings.Repeat("ab", 16),
	}
	for name, content := range bad {
		path := filepath.Join(t.TempDir(), "kek")
		if err := os.WriteFile(path, []byte(content), 0o600); err != nil {
			t.Fatal(err)
		}
		if err := keys.CheckKEK(path, ""); !errors.Is(err, keys.ErrKEKFormat) {
			t.Errorf("%s: %v, want ErrKEKFormat", name, err)
		}
	}
}

func TestSEC_171_KEKRights(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "kek")
	if err := keys.GenerateKEK(path); err != nil {
		t.Fatal(err)
	}
	for _, mode := range []os.FileMode{0o640, 0o604, 0o660, 0o644, 0o666, 0o601} {
		if err := os.Chmod(path, mode); err != nil {
			t.Fatal(err)
		}
		_, err := keys.Open(t.Context(), keys.Config{KEKFile: path, Store: newMemory(), Now: testkit.NewClock(start).Now})
		if !errors.Is(err, keys.ErrKEKPermissions) || !strings.Contains(err.Error(), "chmod 600") {
			t.Errorf("mode %04o: %v, want ErrKEKPermissions that says what to do", mode, err)
		}
	}
	if err := os.Chmod(path, 0o400); err != nil {
		t.Fatal(err)
	}
	if err := keys.CheckKEK(path, ""); err != nil {
		t.Errorf("mode 0400: %v", err)
	}
	if err := keys.CheckKEK(dir, ""); err == nil {
		t.Error("a folder was taken for a key file")
	}
}

func TestKEKMissingAndMisplaced(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for _, path := range []string{"", filepath.Join(dir, "none"), filepath.Join(dir, "no", "folder")} {
		if err := keys.CheckKEK(path, ""); !errors.Is(err, keys.ErrKEKMissing) || !strings.Contains(err.Error(), "keys kek") {
			t.Errorf("CheckKEK(%q): %v, want ErrKEKMissing that says what to do", path, err)
		}
	}
	data := filepath.Join(dir, "data")
	inside := filepath.Join(data, "deep", "kek")
	if err := keys.GenerateKEK(inside); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(dir, "link")
	if err := os.Symlink(inside, link); err != nil {
		t.Fatal(err)
	}
	for _, path := range []string{inside, link, filepath.Join(data, "..", "data", "deep", "kek")} {
		if err := keys.CheckKEK(path, data); !errors.Is(err, keys.ErrKEKPlacement) {
			t.Errorf("CheckKEK(%q): %v, want ErrKEKPlacement", path, err)
		}
	}
	beside := filepath.Join(dir, "data-kek")
	if err := keys.GenerateKEK(beside); err != nil {
		t.Fatal(err)
	}
	if err := keys.CheckKEK(beside, data); err != nil {
		t.Errorf("file beside the data folder: %v", err)
	}
}

// No error tells a byte of the key.
func TestKEKErrorsTellNothing(t *testing.T) {
	t.Parallel()
	secret := bytes.Repeat([]byte("S3cret"), 6)[:33]
	path := filepath.Join(t.TempDir(), "kek")
	if err := os.WriteFile(path, secret, 0o600); err != nil {
		t.Fatal(err)
	}
	if err := keys.CheckKEK(path, ""); err == nil || strings.Contains(err.Error(), "S3cret") {
		t.Errorf("CheckKEK: %v, want an error without the content", err)
	}
}
