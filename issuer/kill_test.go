//go:build unix

package issuer_test

import (
	"bufio"
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"heartmark/internal/keys"
	"heartmark/internal/store/badger"
	"heartmark/internal/testkit"
	"heartmark/issuer"
	"heartmark/schemas"
)

// The kill loop (SEC-195, SEC-210): a process of its own issues, revokes and drains on a store with synchronous writes,
// tells on its standard output what it acknowledged, and is killed with SIGKILL at a named point or at any time. Then the
// store is opened here, recovered, and the invariants are checked.

const (
	envDir   = "HEARTMARK_TEST_KILL_DIR"
	envPoint = "HEARTMARK_TEST_KILL_POINT"
	envRound = "HEARTMARK_TEST_KILL_ROUND"
)

// line is what the child tells.
type line struct {
	Signed  *told `json:",omitempty"`
	Issued  *told `json:",omitempty"`
	Revoked *told `json:",omitempty"`
}

type told struct {
	Key        string
	ID         schemas.CredentialID
	Group      schemas.ListGroup
	Index      uint64
	Credential json.RawMessage `json:",omitempty"`
}

// killWorld is a world over a folder that two processes use in turn.
func killWorld(t testing.TB, base string) *world {
	t.Helper()
	w := &world{
		t: t, dir: filepath.Join(base, "data"), kek: filepath.Join(base, "kek"), clock: testkit.NewClock(start),
		log: &fakeLog{}, reports: map[string]schemas.Attestation{"r1": attestation()}, refuse: map[string]error{}, reuse: true,
	}
	var err error
	if w.db, err = badger.Open(badger.Config{Dir: w.dir}); err != nil {
		t.Fatal(err)
	}
	w.open()
	return w
}

// TestKillChild is the child process; alone it does nothing.
func TestKillChild(t *testing.T) {
	base := os.Getenv(envDir)
	if base == "" {
		t.Skip("it runs as the child of TestSEC_195_KillLoop")
	}
	tell := func(l line) {
		data, err := json.Marshal(l)
		if err != nil {
			t.Fatal(err)
		}
		if _, err := os.Stdout.Write(append(data, '\n')); err != nil {
			t.Fatal(err)
		}
	}
	w := killWorld(t, base)
	if _, err := w.iss.Recover(t.Context()); err != nil {
		t.Fatal(err)
	}
	point, after := os.Getenv(envPoint), 3+rand.IntN(6)
	w.conf = func(c *issuer.Config) {
		c.Crash = func(name string) {
			if name == "issue.after_sign" {
				s := w.signed[len(w.signed)-1]
				tell(line{Signed: &told{ID: s.id, Group: s.group, Index: s.index}})
			}
			if name != point {
				return
			}
			if after--; after < 0 {
				_ = syscall.Kill(os.Getpid(), syscall.SIGKILL)
				select {}
			}
		}
	}
	w.open()
	for n := 0; ; n++ {
		key := fmt.Sprintf("%s-%d", os.Getenv(envRound), n)
		got, err := w.iss.Issue(t.Context(), request(key))
		if err != nil {
			t.Fatal(err)
		}
		tell(line{Issued: &told{Key: key, ID: got.ID, Group: got.Group, Index: got.Index, Credential: got.Credential}})
		if n%3 == 1 {
			if err := w.iss.Revoke(t.Context(), "acme", got.ID, ""); err != nil {
				t.Fatal(err)
			}
			tell(line{Revoked: &told{ID: got.ID}})
		}
		if n%4 == 3 {
			if err := w.iss.DrainOutbox(t.Context()); err != nil {
				t.Fatal(err)
			}
		}
	}
}

// TestSEC_195_KillLoop kills a child process at the named points and at random times and checks the invariants each time.
// It is not parallel: between fork and exec a child holds copies of this process's descriptors, and with them the locks on
// the folders of tests that close and reopen a store.
func TestSEC_195_KillLoop(t *testing.T) {
	base := t.TempDir()
	if err := keys.GenerateKEK(filepath.Join(base, "kek")); err != nil {
		t.Fatal(err)
	}
	rounds := 20
	if testing.Short() {
		rounds = 4
	}
	points := issuer.CrashPoints()
	rand.Shuffle(len(points), func(i, j int) { points[i], points[j] = points[j], points[i] })
	l := newLedger()
	var signed []signature
	lost := 0
	for round := range rounds {
		point := "" // killed at any time
		if round < len(points) {
			point = points[round]
		}
		issued := len(l.issued)
		signed = append(signed, runChild(t, base, point, round, l)...)
		w := killWorld(t, base)
		w.signed = signed
		if _, err := w.iss.Recover(t.Context()); err != nil {
			t.Fatalf("round %d, killed at %q: Recover: %v", round, point, err)
		}
		// A kill between the audit entry and the signature, or before the child could tell of the signature, leaves an
		// entry more than we know signatures: at most one for each round.
		unknown := w.audits(issuer.AuditSign) - len(signed) - lost
		if unknown < 0 || unknown > 1 {
			t.Fatalf("round %d, killed at %q: %d audit entries for which no signature is known", round, point, unknown)
		}
		lost += unknown
		w.checkInvariants(l, lost)
		if len(w.signed) != len(signed) {
			t.Fatalf("round %d, killed at %q: an acknowledged request was signed again", round, point)
		}
		if err := w.db.Close(); err != nil {
			t.Fatal(err)
		}
		t.Logf("round %d, killed at %q: %d acknowledged", round, point, len(l.issued)-issued)
	}
}

// runChild starts the child, kills it if it does not do so itself, and writes down what it acknowledged.
func runChild(t *testing.T, base, point string, round int, l *ledger) (signed []signature) {
	t.Helper()
	exe, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), exe, "-test.run=^TestKillChild$", "-test.timeout=120s")
	cmd.Env = append(os.Environ(), envDir+"="+base, envPoint+"="+point, envRound+"="+fmt.Sprint(round))
	var stderr strings.Builder
	cmd.Stderr = &stderr
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	killAfter := 4 + rand.IntN(40) // lines
	lines := bufio.NewScanner(out)
	lines.Buffer(nil, 1<<20)
	for n := 0; lines.Scan(); n++ {
		var told line
		if err := json.Unmarshal(lines.Bytes(), &told); err != nil {
			t.Errorf("child says %q", lines.Text())
			continue
		}
		switch {
		case told.Signed != nil:
			signed = append(signed, signature{told.Signed.ID, told.Signed.Group, told.Signed.Index})
		case told.Issued != nil:
			l.issued[told.Issued.Key] = issuer.Issued{
				ID: told.Issued.ID, Group: told.Issued.Group, Index: told.Issued.Index, Credential: told.Issued.Credential,
			}
		case told.Revoked != nil:
			l.revoked[told.Revoked.ID] = true
		}
		if point == "" && n == killAfter {
			if err := cmd.Process.Kill(); err != nil {
				t.Fatal(err)
			}
		}
	}
	err = cmd.Wait()
	var exit *exec.ExitError
	if !errors.As(err, &exit) || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
		t.Fatalf("child ended by itself: %v\n%s", err, stderr.String())
	}
	return signed
}
