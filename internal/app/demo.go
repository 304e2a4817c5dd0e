package app

import (
	"bytes"
	"context"
	"embed"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"time"

	"heartmark/assessment"
	"heartmark/assessment/evidence"
	"heartmark/internal/config"
	"heartmark/internal/keys"
	"heartmark/internal/obs"
	"heartmark/internal/proof/jose"
	"heartmark/registry/translog"
	"heartmark/schemas"
	"heartmark/verifier"

	"github.com/spf13/cobra"
)

// conversations are written for the project: one long enough to certify, one too thin to score.
//
//go:embed conversations/*.jsonl
var conversations embed.FS

func demoCommand(c *console) *cobra.Command {
	var out, lang string
	command := &cobra.Command{
		Use: "demo", Short: "Run the main job end to end on sample conversations", Args: cobra.NoArgs,
		Long: "Demo starts a server of its own on a free loopback port with a fresh data folder, walks from conversations to a revoked\n" +
			"credential through its public interfaces, prints each step, and leaves every artefact in the folder --out.",
		RunE: func(command *cobra.Command, _ []string) error {
			if _, ok := schemas.ParseLanguage(lang); !ok {
				return exitWith(ExitUsage, fmt.Errorf("--lang: %q is neither en nor zh", lang))
			}
			return c.demo(command.Context(), out, lang)
		},
	}
	command.Flags().StringVar(&out, "out", "demo-out", "folder for the artefacts; its data folder is made anew")
	command.Flags().StringVar(&lang, "lang", "en", "language of the report page and the credential: en or zh")
	return command
}

// demo holds what the steps share.
type demo struct {
	console *console
	out     string
	lang    string
	app     *App
	holder  *wallet
	key     string // API key of the tenant
	report  assessment.Report
	// held is the wallet's credential.
	held   json.RawMessage
	heldID string
	step   int
	client *http.Client
}

func (c *console) demo(ctx context.Context, out, lang string) error {
	d := &demo{console: c, out: out, lang: lang, client: &http.Client{Timeout: 5 * time.Minute}}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return exitWith(ExitUnavailable, err)
	}
	cfg, err := d.prepare(listener.Addr().(*net.TCPAddr).Port)
	if err != nil {
		return err
	}
	log, err := obs.NewLogger(c.err, cfg.Log)
	if err != nil {
		return err
	}
	translog.LogTo(log)
	if d.app, err = Build(ctx, cfg, log, Options{}); err != nil {
		return err
	}
	s, err := d.app.openScoring(ctx, c.progress("classifying"))
	if err != nil {
		return errors.Join(err, d.app.Close())
	}
	serving, stop := context.WithCancel(ctx)
	done := make(chan error, 1)
	go func() { done <- d.app.Serve(serving, listener, nil, s) }()
	err = d.online(ctx)
	stop()
	if err = errors.Join(err, <-done, d.app.Close()); err != nil {
		return err
	}
	return d.offline(ctx, cfg, log)
}

// prepare makes the folder, the key-encryption key and the configuration. Only the demo's own data are removed.
func (d *demo) prepare(port int) (config.Config, error) {
	for _, own := range []string{"data", "secrets"} {
		if err := os.RemoveAll(filepath.Join(d.out, own)); err != nil {
			return config.Config{}, err
		}
	}
	if err := os.MkdirAll(d.out, 0o700); err != nil {
		return config.Config{}, err
	}
	cfg, err := config.Load("", d.console.environ)
	if err != nil {
		return config.Config{}, exitWith(ExitUsage, err)
	}
	cfg.Mode, cfg.Origin, cfg.OpsListen = config.Development, "http://localhost:"+strconv.Itoa(port), ""
	cfg.DataDir, cfg.KEKFile = filepath.Join(d.out, "data"), filepath.Join(d.out, "secrets", "kek")
	if cfg.Log.Level == "info" {
		cfg.Log.Level = "warn"
	}
	return cfg, keys.GenerateKEK(cfg.KEKFile)
}

// online walks the way that a person, a platform and a stranger go while the server runs.
func (d *demo) online(ctx context.Context) error {
	for _, step := range []func(context.Context) error{
		d.consent, d.assess, d.abstain, d.walletTakes, d.restIssues, d.registryKnows, d.verifies, d.revokes,
	} {
		if err := step(ctx); err != nil {
			return fmt.Errorf("demo step %d: %w", d.step, err)
		}
	}
	return nil
}

func (d *demo) title(format string, args ...any) {
	d.step++
	d.say("\n%d. %s\n", d.step, fmt.Sprintf(format, args...))
}

func (d *demo) say(format string, args ...any) {
	w := d.console.out
	if d.console.json {
		w = d.console.err
	}
	fmt.Fprintf(w, format, args...)
}

// save writes an artefact and names it. They are personal: readable by the owner only.
func (d *demo) save(name string, data []byte) error {
	path := filepath.Join(d.out, name)
	d.say("   → %s\n", path)
	return os.WriteFile(path, data, 0o600)
}

// consent makes the subject's key and signs the receipt with it; the platform checks it before a line is read.
func (d *demo) consent(ctx context.Context) error {
	d.title("Consent: the subject signs what they agree to")
	var err error
	if d.holder, err = newWallet(d.app.now); err != nil {
		return err
	}
	batch, err := d.read("rich.jsonl")
	if err != nil {
		return err
	}
	receipt := batch.Receipts[0]
	claims, err := schemas.Marshal(map[string]any{
		"iss": d.holder.did, "sub": receipt.Subject, "aud": d.app.DID(), "iat": json.Number(strconv.FormatInt(d.app.now().Unix(), 10)),
		"policy": receipt.Policy, "purposes": receipt.Purposes, "adult": receipt.Adult, "expires": schemas.FormatTime(receipt.Expires),
		"platform": receipt.Platform,
	})
	if err != nil {
		return err
	}
	signed, err := jose.Sign(map[string]any{"typ": "consent-receipt+jwt", "kid": d.holder.kid}, claims, d.holder.key)
	if err != nil {
		return err
	}
	if err := d.checkReceipt(ctx, signed, receipt); err != nil {
		return err
	}
	d.say("   %s agrees to %v until %s (signed by %s…)\n", receipt.Subject, receipt.Purposes, receipt.Expires.Format(time.DateOnly), d.holder.did[:24])
	return d.save("consent-receipt.jwt", []byte(signed+"\n"))
}

// checkReceipt verifies the receipt with the key of the DID that it names, and compares it with the batch's.
func (d *demo) checkReceipt(ctx context.Context, signed string, receipt evidence.Receipt) error {
	token, err := jose.Parse(signed)
	if err != nil {
		return err
	}
	claims, err := token.Claims()
	if err != nil {
		return err
	}
	issuer, _ := claims["iss"].(string)
	key, err := (keyResolver{d.app.Resolver}).Key(ctx, verifier.KeyQuery{Controller: issuer, Method: token.Header.Kid, Purpose: "authentication"})
	if err != nil {
		return err
	}
	if err := token.Verify(key.Public); err != nil {
		return err
	}
	if claims["sub"] != receipt.Subject || claims["policy"] != receipt.Policy || claims["adult"] != receipt.Adult {
		return errors.New("the signed receipt is not the one in the batch")
	}
	return nil
}

func (d *demo) read(name string) (evidence.Batch, error) {
	data, err := conversations.ReadFile("conversations/" + name)
	if err != nil {
		return evidence.Batch{}, err
	}
	batch, _, err := evidence.Read(bytes.NewReader(data), evidence.Options{})
	return batch, err
}

// assess submits the long conversation as a platform does, and shows the subject's own report.
func (d *demo) assess(ctx context.Context) error {
	d.title("Assessment: conversations in English and Chinese, free chat and assessment scenes")
	key, _, err := d.app.CreateAPIKey(ctx, schemas.APIKey{Tenant: DemoTenant, Scopes: []string{"assess", "issue"}})
	if err != nil {
		return err
	}
	d.key = key
	start := d.app.now()
	id, err := d.submit(ctx, "rich.jsonl")
	if err != nil {
		return err
	}
	if d.report, err = d.app.reports().Report(ctx, DemoTenant, id); err != nil {
		return err
	}
	var text bytes.Buffer
	writeReport(&text, d.report, 2)
	d.say("%s\n   %d messages, scored in %.1f s\n", indent(text.Bytes()), d.report.Quality.Messages, d.app.now().Sub(start).Seconds())
	return d.saveReport("report", d.report)
}

// abstain shows that a thin conversation gives no number.
func (d *demo) abstain(ctx context.Context) error {
	d.title("Abstention: a thin conversation gets no level, and says what is missing")
	id, err := d.submit(ctx, "thin.jsonl")
	if err != nil {
		return err
	}
	report, err := d.app.reports().Report(ctx, DemoTenant, id)
	if err != nil {
		return err
	}
	var text bytes.Buffer
	writeReport(&text, report, 1)
	d.say("%s\n", indent(text.Bytes()))
	return d.saveReport("report-thin", report)
}

func (d *demo) submit(ctx context.Context, name string) (string, error) {
	data, err := conversations.ReadFile("conversations/" + name)
	if err != nil {
		return "", err
	}
	var answer struct {
		Reports []struct {
			ID string `json:"id"`
		} `json:"reports"`
	}
	if err := d.call(ctx, http.MethodPost, "/v1/assessments", "application/jsonl", data, &answer); err != nil {
		return "", err
	}
	if len(answer.Reports) != 1 {
		return "", fmt.Errorf("%d reports for %s, want 1", len(answer.Reports), name)
	}
	return answer.Reports[0].ID, nil
}

func (d *demo) saveReport(name string, r assessment.Report) error {
	var page bytes.Buffer
	if err := renderReport(&page, r, "report.html", d.lang); err != nil {
		return err
	}
	data, err := json.MarshalIndent(r, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(d.save(name+".html", page.Bytes()), d.save(name+".json", data))
}

// call sends one request to the server with the tenant's key, ask one as a stranger does, without any.
func (d *demo) call(ctx context.Context, method, path, mediaType string, body []byte, into any) error {
	return d.send(ctx, d.key, method, path, mediaType, body, into)
}

func (d *demo) ask(ctx context.Context, method, path, mediaType string, body []byte, into any) error {
	return d.send(ctx, "", method, path, mediaType, body, into)
}

func (d *demo) send(ctx context.Context, key, method, path, mediaType string, body []byte, into any) error {
	request, err := http.NewRequestWithContext(ctx, method, d.app.Config.Origin+path, bytes.NewReader(body))
	if err != nil {
		return err
	}
	if key != "" {
		request.Header.Set("Authorization", "Bearer "+key)
	}
	if mediaType != "" {
		request.Header.Set("Content-Type", mediaType)
	}
	response, err := d.client.Do(request)
	if err != nil {
		return err
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(io.LimitReader(response.Body, 16<<20))
	if err != nil {
		return err
	}
	if response.StatusCode >= 300 {
		return fmt.Errorf("%s %s answered %d: %s", method, path, response.StatusCode, bytes.TrimSpace(answer))
	}
	if into == nil {
		return nil
	}
	return json.Unmarshal(answer, into)
}

func indent(text []byte) []byte {
	return append([]byte("   "), bytes.ReplaceAll(bytes.TrimRight(text, "\n"), []byte("\n"), []byte("\n   "))...)
}
