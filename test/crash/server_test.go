//go:build crashpoints && unix

package crash_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"heartmark/assessment"
	"heartmark/internal/app"
	"heartmark/internal/config"
	"heartmark/internal/testkit"
	"heartmark/registry/translog"
	"heartmark/schemas"
)

const (
	tenant   = "demo"
	reportID = "report-of-the-kill-loop"
)

// installation is one data folder, its address, and the program that serves it.
type installation struct {
	t       *testing.T
	binary  string
	dir     string
	config  config.Config
	apiKeys []string
	client  *http.Client
}

// install builds the program with the crash points, makes keys by its command line, and stores a report that can be
// certified: the kill loop is about issuing, not about the classifier.
func install(t *testing.T) *installation {
	t.Helper()
	s := &installation{t: t, dir: t.TempDir(), client: &http.Client{Timeout: 20 * time.Second}}
	s.binary = filepath.Join(s.dir, "heartmark")
	build := exec.CommandContext(t.Context(), "go", "build", "-tags", "crashpoints", "-o", s.binary, "./cmd/heartmark")
	build.Dir = testkit.Root(t)
	if out, err := build.CombinedOutput(); err != nil {
		t.Fatalf("build: %v\n%s", err, out)
	}
	translog.LogTo(slog.New(slog.DiscardHandler))
	port := freePort(t)
	s.config = config.Default()
	s.config.Origin = fmt.Sprintf("http://localhost:%d", port)
	s.config.Listen, s.config.OpsListen = fmt.Sprintf("127.0.0.1:%d", port), ""
	s.config.DataDir, s.config.KEKFile = filepath.Join(s.dir, "data"), filepath.Join(s.dir, "secrets", "kek")
	s.run("keys", "kek")
	// The rate limit counts each key for itself; several let the driver ask for everything it knows.
	for range 6 {
		var key struct{ Key string }
		if err := json.Unmarshal(s.run("keys", "api", "--tenant", tenant, "--scope", "issue,verify", "--json"), &key); err != nil {
			t.Fatal(err)
		}
		s.apiKeys = append(s.apiKeys, key.Key)
	}
	s.open(func(ctx context.Context, a *app.App) {
		if err := a.Store.Assessments(a.Keys).SaveReport(ctx, tenant, report()); err != nil {
			t.Fatal(err)
		}
	})
	return s
}

func freePort(t *testing.T) int {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port
}

// report is certifiable in all four dimensions.
func report() assessment.Report {
	level := "proficient"
	score, sem, interval := 71.0, 3.0, [2]float64{66, 76}
	r := assessment.Report{
		Schema: assessment.Schema, ID: reportID, Subject: "subject-1", Platforms: []string{"quest"},
		Window:     assessment.Window{From: "2026-01-01", To: "2026-02-01"},
		Model:      assessment.ReportModel{ID: "dei-m1", SHA256: strings.Repeat("ab", 32), Runtime: "cpu-int8", Scale: "v0-provisional"},
		Dimensions: map[schemas.Dimension]assessment.DimensionReport{},
		Quality:    assessment.Quality{Messages: 400, Scored: 400, Languages: map[string]float64{"en": 1}, Dropped: map[string]int{}},
		Caveats:    []string{assessment.CaveatProvisionalScale},
		Provenance: assessment.Provenance{
			BatchDigests: []string{"sha256:" + strings.Repeat("cd", 32)}, Salts: []string{strings.Repeat("ef", 16)},
			Purposes: []string{"process", "score", "issue", "automated"}, Policy: "2026-01",
		},
	}
	p := &assessment.PLevel{Developing: 0.99, Proficient: 0.97}
	for _, d := range schemas.Dimensions() {
		r.Dimensions[d] = assessment.DimensionReport{
			Status: assessment.StatusScored, Score: &score, Interval90: &interval, SEM: &sem, Level: &level, Certifiable: &level, PLevel: p,
			Opportunities: 60, Effective: 40, Conversations: 12, Counterparts: 6, Days: 20, Facets: map[string]assessment.FacetReport{},
			Evidence: []assessment.Evidence{},
		}
	}
	r.Overall = assessment.Overall{Status: assessment.StatusScored, Score: &score, Interval90: &interval, SEM: &sem, Level: &level, Certifiable: &level, PLevel: p}
	return r
}

// environ is that of the program: nothing of ours but what the installation needs. The classifier is left out.
func (s *installation) environ(more ...string) []string {
	env := slices.DeleteFunc(os.Environ(), func(e string) bool { return strings.HasPrefix(e, "HEARTMARK_") })
	return append(append(env,
		"HEARTMARK_ORIGIN="+s.config.Origin, "HEARTMARK_LISTEN="+s.config.Listen, "HEARTMARK_OPS_LISTEN=",
		"HEARTMARK_DATA_DIR="+s.config.DataDir, "HEARTMARK_KEK_FILE="+s.config.KEKFile,
		"HEARTMARK_ONNXRUNTIME="+filepath.Join(s.dir, "no-library"),
	), more...)
}

// run runs one command of the program to its end.
func (s *installation) run(args ...string) []byte {
	s.t.Helper()
	command := exec.CommandContext(s.t.Context(), s.binary, args...)
	command.Env = s.environ()
	var stderr bytes.Buffer
	command.Stderr = &stderr
	out, err := command.Output()
	if err != nil {
		s.t.Fatalf("heartmark %s: %v\n%s%s", strings.Join(args, " "), err, out, stderr.Bytes())
	}
	return out
}

// open builds the app in this process, on the data folder of a server that does not run.
func (s *installation) open(fn func(ctx context.Context, a *app.App)) {
	s.t.Helper()
	a, err := app.Build(s.t.Context(), s.config, slog.New(slog.DiscardHandler), app.Options{})
	if err != nil {
		s.t.Fatalf("open the data folder: %v", err)
	}
	fn(s.t.Context(), a)
	if err := a.Close(); err != nil {
		s.t.Errorf("close the data folder: %v", err)
	}
}

// process is a running server.
type process struct {
	s       *installation
	cmd     *exec.Cmd
	started time.Time
	ended   chan struct{} // closed when it has ended; state is set then
	state   *os.ProcessState
}

// start starts the server. It kills itself at the named point; none is named by "".
func (s *installation) start(point string) *process { return s.startWith(point) }

// startWith starts the server with more of an environment.
func (s *installation) startWith(point string, more ...string) *process {
	s.t.Helper()
	log, err := os.Create(s.logFile())
	if err != nil {
		s.t.Fatal(err)
	}
	defer log.Close()
	p := &process{s: s, cmd: exec.CommandContext(s.t.Context(), s.binary, "serve"), ended: make(chan struct{})}
	p.cmd.Env = s.environ(append([]string{"HEARTMARK_CRASH_POINT=" + point, "HEARTMARK_LOG_LEVEL=warn"}, more...)...)
	p.cmd.Stdout, p.cmd.Stderr = log, log
	p.started = time.Now()
	if err := p.cmd.Start(); err != nil {
		s.t.Fatal(err)
	}
	go func() {
		defer close(p.ended)
		_ = p.cmd.Wait()
		p.state = p.cmd.ProcessState
	}()
	s.t.Cleanup(func() { _ = p.cmd.Process.Kill(); <-p.ended })
	return p
}

func (s *installation) logFile() string { return filepath.Join(s.dir, "server.log") }

func (s *installation) logTail() string {
	data, err := os.ReadFile(s.logFile())
	if err != nil {
		return err.Error()
	}
	return string(data[max(0, len(data)-40000):])
}

// errEnded says that the server ended while it was waited for.
var errEnded = errors.New("the server has ended")

// ready waits until the server says that it is ready, and returns how long that took since its start.
func (p *process) ready(ctx context.Context) (time.Duration, error) {
	ctx, cancel := context.WithTimeout(ctx, readyIn)
	defer cancel()
	tick := time.NewTicker(5 * time.Millisecond)
	defer tick.Stop()
	for {
		request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://"+p.s.config.Listen+"/readyz", nil)
		if err != nil {
			return 0, err
		}
		if answer, err := p.s.client.Do(request); err == nil {
			answer.Body.Close()
			if answer.StatusCode == http.StatusOK {
				return time.Since(p.started), nil
			}
		}
		select {
		case <-p.ended:
			return 0, errEnded
		case <-ctx.Done():
			p.dump()
			return 0, fmt.Errorf("not ready within %s", readyIn)
		case <-tick.C:
		}
	}
}

// dump makes a server that hangs write what its goroutines wait for into its log.
func (p *process) dump() {
	_ = p.cmd.Process.Signal(syscall.SIGQUIT)
	select {
	case <-p.ended:
	case <-time.After(5 * time.Second):
	}
}

// killed reports whether the process, which has ended, was ended by SIGKILL.
func (p *process) killed() bool {
	status, ok := p.state.Sys().(syscall.WaitStatus)
	return ok && status.Signaled() && status.Signal() == syscall.SIGKILL
}

// stop asks the server to end and wants it to end well.
func (p *process) stop() {
	p.s.t.Helper()
	if err := p.cmd.Process.Signal(syscall.SIGTERM); err != nil {
		p.s.t.Fatal(err)
	}
	select {
	case <-p.ended:
	case <-time.After(p.s.config.ShutdownGrace):
		p.s.t.Fatal("the server did not end in its shutdown grace")
	}
	if code := p.state.ExitCode(); code != 0 {
		p.s.t.Errorf("the server ended with %s, want exit code 0\n%s", p.state, p.s.logTail())
	}
}
