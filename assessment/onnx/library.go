package onnx

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"runtime"
	"slices"
)

// LibraryVariable names the library in the environment, after the configuration and before any search.
const LibraryVariable = "HEARTMARK_ONNXRUNTIME"

// Library is the ONNX Runtime library that was chosen.
type Library struct {
	Path   string
	SHA256 string
	Source string // "configuration", "environment", "beside the program", ".deps" or "system"
	Pinned bool   // one of the builds that `make deps` obtains
}

// pinned are the SHA-256 of the builds of ONNX Runtime 1.27.0 that scripts/deps.sh obtains: npm, then pip.
func pinned() []string {
	if runtime.GOOS != "linux" {
		return nil
	}
	switch runtime.GOARCH {
	case "amd64":
		return []string{
			"d8aff4aa8abee8fb2abb2f2f2459ffc94461e781e41b9f7c072829dd0d470221",
			"b5c9d4f124d24707f514dad926dc181820807178855df1c528e3addb2dd0e6f7",
		}
	case "arm64":
		return []string{"c36bc200e7e6c093b8abb0b34590fbdd8c52fd3fb5e33795b9523ffdde2fce0f"}
	}
	return nil
}

func libraryNames() []string {
	switch runtime.GOOS {
	case "darwin":
		return []string{"libonnxruntime.dylib", "libonnxruntime.1.27.0.dylib"}
	case "windows":
		return []string{"onnxruntime.dll"}
	}
	return []string{"libonnxruntime.so.1", "libonnxruntime.so.1.27.0", "libonnxruntime.so"}
}

// FindLibrary looks for the library in the order that the package doc gives. configured may be empty.
func FindLibrary(configured string) (Library, error) {
	program, _ := os.Executable()
	working, _ := os.Getwd()
	return search{
		configured: configured, environment: os.Getenv(LibraryVariable), working: working,
		program: filepath.Dir(program), system: systemFolders(), pinned: pinned(),
	}.find()
}

func systemFolders() []string {
	return []string{
		"/usr/local/lib", "/usr/lib", "/usr/lib64", "/usr/lib/x86_64-linux-gnu", "/usr/lib/aarch64-linux-gnu",
		"/opt/onnxruntime/lib", "/opt/homebrew/lib",
	}
}

type search struct {
	configured, environment, working, program string
	system, pinned                            []string
}

func (s search) find() (Library, error) {
	named := []Library{{Path: s.configured, Source: "configuration"}, {Path: s.environment, Source: "environment"}}
	for _, lib := range named {
		if lib.Path == "" {
			continue
		}
		sum, err := fileDigest(lib.Path)
		if err != nil {
			return Library{}, fmt.Errorf("%w (%s: %w)", ErrLibraryMissing, lib.Source, err)
		}
		lib.SHA256, lib.Pinned = sum, slices.Contains(s.pinned, sum)
		return lib, nil
	}
	var refused string
	for _, place := range s.places() {
		for _, name := range libraryNames() {
			path := filepath.Join(place.Path, name)
			sum, err := fileDigest(path)
			if err != nil {
				continue
			}
			if !slices.Contains(s.pinned, sum) {
				if refused == "" {
					refused = path
				}
				continue
			}
			return Library{Path: path, SHA256: sum, Source: place.Source, Pinned: true}, nil
		}
	}
	if refused != "" {
		return Library{}, fmt.Errorf("%w (%s)", ErrLibraryDigest, refused)
	}
	return Library{}, ErrLibraryMissing
}

// places are the folders to search, nearest first.
func (s search) places() []Library {
	places := []Library{
		{Path: s.program, Source: "beside the program"},
		{Path: filepath.Join(s.program, "lib"), Source: "beside the program"},
	}
	for _, start := range []string{s.working, s.program} {
		for folder := start; folder != "" && folder != "."; folder = filepath.Dir(folder) {
			places = append(places, Library{Path: filepath.Join(folder, ".deps", "onnxruntime"), Source: ".deps"})
			if folder == filepath.Dir(folder) {
				break
			}
		}
	}
	for _, folder := range s.system {
		places = append(places, Library{Path: folder, Source: "system"})
	}
	return places
}

func fileDigest(path string) (string, error) {
	file, err := os.Open(path)
	if err != nil {
		return "", err
	}
	defer func() { _ = file.Close() }()
	hash := sha256.New()
	if _, err := io.Copy(hash, file); err != nil {
		return "", err
	}
	return hex.EncodeToString(hash.Sum(nil)), nil
}
