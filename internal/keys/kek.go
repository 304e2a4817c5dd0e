//go:build !js

package keys

import (
	"bytes"
	"crypto/rand"
	"encoding/base64"
	"encoding/hex"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
)

// kekSize is the length of the key-encryption key in bytes: AES-256.
const kekSize = 32

// maxKEKFile bounds how much of the file is read: the longest spelling is 64 hexadecimal digits and a line end.
const maxKEKFile = 256

// Errors about the key-encryption key's file. Each text says what the operator should do.
var (
	// ErrKEKMissing is returned when the file is not there.
	ErrKEKMissing = errors.New("key-encryption key file is missing")
	// ErrKEKPermissions is returned when others than the owner may read or change the file.
	ErrKEKPermissions = errors.New("key-encryption key file is readable by others")
	// ErrKEKPlacement is returned when the file lies inside the data folder: a copy of the data would carry its key.
	ErrKEKPlacement = errors.New("key-encryption key file lies inside the data folder")
	// ErrKEKFormat is returned when the file does not hold 32 random bytes.
	ErrKEKFormat = errors.New("key-encryption key file does not hold a key")
	// ErrKEKMismatch is returned when the stored keys were sealed under another key-encryption key.
	ErrKEKMismatch = errors.New("stored keys were sealed under another key-encryption key")
)

// GenerateKEK writes a new key-encryption key to path: 32 bytes from the system generator in hexadecimal, mode 0600,
// flushed to disk. Missing parent folders are made for the owner only. An existing file is never replaced
// (fs.ErrExist), because everything sealed under it would be lost.
func GenerateKEK(path string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o700); err != nil {
		return fmt.Errorf("make folder for the key-encryption key: %w", err)
	}
	key := make([]byte, kekSize)
	if _, err := rand.Read(key); err != nil {
		return fmt.Errorf("draw key-encryption key: %w", err)
	}
	defer clear(key)
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o600)
	if errors.Is(err, fs.ErrExist) {
		return fmt.Errorf("%s exists and is not replaced (what is sealed under it would be lost): %w", path, err)
	}
	if err != nil {
		return fmt.Errorf("create key-encryption key file: %w", err)
	}
	_, err = f.WriteString(hex.EncodeToString(key) + "\n")
	err = errors.Join(err, f.Sync(), f.Close())
	if err != nil {
		return errors.Join(fmt.Errorf("write key-encryption key file %s: %w", path, err), os.Remove(path))
	}
	return syncFolder(filepath.Dir(path))
}

func syncFolder(dir string) error {
	d, err := os.Open(dir)
	if err != nil {
		return fmt.Errorf("flush folder %s: %w", dir, err)
	}
	if err := errors.Join(d.Sync(), d.Close()); err != nil {
		return fmt.Errorf("flush folder %s: %w", dir, err)
	}
	return nil
}

// CheckKEK reports whether the file at path can serve as key-encryption key beside the data folder dataDir ("" when
// there is none), with the errors that Open would give.
func CheckKEK(path, dataDir string) error {
	key, err := readKEK(path, dataDir)
	clear(key)
	return err
}

// readKEK returns the 32 bytes in the file at path, which may hold them raw, in hexadecimal or in base64.
func readKEK(path, dataDir string) ([]byte, error) {
	if path == "" {
		return nil, fmt.Errorf("%w: name it in the configuration; `heartmark keys kek` makes one", ErrKEKMissing)
	}
	if err := checkPlacement(path, dataDir); err != nil {
		return nil, err
	}
	f, err := os.Open(path)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fmt.Errorf("%w: %s: restore it from its own backup, or for a new installation make one with `heartmark keys kek`",
			ErrKEKMissing, path)
	}
	if err != nil {
		return nil, fmt.Errorf("open key-encryption key file: %w", err)
	}
	defer func() { _ = f.Close() }()
	// The rights of the opened file are checked, not those of the name: the name may change in between.
	info, err := f.Stat()
	if err != nil {
		return nil, fmt.Errorf("look at key-encryption key file: %w", err)
	}
	if !info.Mode().IsRegular() {
		return nil, fmt.Errorf("%w: %s is not a regular file", ErrKEKFormat, path)
	}
	if mode := info.Mode().Perm(); mode&0o077 != 0 {
		return nil, fmt.Errorf("%w: %s has mode %04o: run `chmod 600 %s`", ErrKEKPermissions, path, mode, path)
	}
	data, err := io.ReadAll(io.LimitReader(f, maxKEKFile+1))
	if err != nil {
		return nil, fmt.Errorf("read key-encryption key file: %w", err)
	}
	defer clear(data)
	key, err := decodeKEK(data)
	if err != nil {
		return nil, fmt.Errorf("%w: %s: %w", ErrKEKFormat, path, err)
	}
	return key, nil
}

func decodeKEK(data []byte) ([]byte, error) {
	var key []byte
	text := strings.TrimSpace(string(data))
	switch {
	case len(data) == kekSize:
		// 32 characters of text are half a key at most; random bytes are never all printable.
		if !bytes.ContainsFunc(data, func(r rune) bool { return r < ' ' || r > '~' }) {
			return nil, errors.New("32 characters of text are not 32 random bytes: use 64 hexadecimal digits")
		}
		key = bytes.Clone(data)
	case len(text) == 2*kekSize:
		var err error
		if key, err = hex.DecodeString(text); err != nil {
			return nil, errors.New("64 characters that are not hexadecimal digits")
		}
	case len(text) == 43 || len(text) == 44:
		plain := strings.NewReplacer("-", "+", "_", "/").Replace(strings.TrimRight(text, "="))
		var err error
		if key, err = base64.RawStdEncoding.Strict().DecodeString(plain); err != nil {
			return nil, errors.New("text that is not base64 of 32 bytes")
		}
	default:
		return nil, fmt.Errorf("%d bytes; expected 32 bytes raw, as 64 hexadecimal digits or in base64", len(data))
	}
	if len(key) != kekSize {
		return nil, errors.New("not 32 bytes")
	}
	if bytes.Count(key, key[:1]) == kekSize {
		return nil, errors.New("one byte repeated is no random key")
	}
	return key, nil
}

// checkPlacement refuses a file inside dataDir, also through links.
func checkPlacement(path, dataDir string) error {
	if dataDir == "" {
		return nil
	}
	file, dir := realPath(path), realPath(dataDir)
	rel, err := filepath.Rel(dir, file)
	if err != nil || rel == ".." || strings.HasPrefix(rel, ".."+string(filepath.Separator)) {
		return nil
	}
	return fmt.Errorf("%w: move %s out of %s, so that a copy of the data never carries its key", ErrKEKPlacement, path, dataDir)
}

// realPath resolves links as far as the path exists.
func realPath(path string) string {
	abs, err := filepath.Abs(path)
	if err != nil {
		return filepath.Clean(path)
	}
	if resolved, err := filepath.EvalSymlinks(abs); err == nil {
		return resolved
	}
	dir := filepath.Dir(abs)
	if dir == abs {
		return abs
	}
	return filepath.Join(realPath(dir), filepath.Base(abs))
}
