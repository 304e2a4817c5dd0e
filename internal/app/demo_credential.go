package app

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"log/slog"
	"net/http"
	"net/url"

	"heartmark/internal/config"
	"heartmark/schemas"
	"heartmark/verifier"
	"heartmark/verifier/report"
)

// The second half of the demo: from a report to a credential, and to its revocation.

// walletTakes makes an offer and redeems it as a wallet does.
func (d *demo) walletTakes(ctx context.Context) error {
	d.title("Issuing: the credential goes into a wallet over OpenID4VCI")
	body, err := json.Marshal(map[string]string{"configuration": "dei-profile", "report": d.report.ID, "language": d.lang})
	if err != nil {
		return err
	}
	var offer struct {
		URI    string `json:"uri"`
		TxCode string `json:"tx_code"`
	}
	if err := d.call(ctx, http.MethodPost, "/v1/offers", "application/json", body, &offer); err != nil {
		return err
	}
	d.say("   offer  %s\n   transaction code %s, sent by another way\n", offer.URI, offer.TxCode)
	taken, err := d.holder.take(ctx, offer.URI, offer.TxCode)
	if err != nil {
		return err
	}
	d.held = taken.Credential
	document, err := schemas.ParseObject(d.held)
	if err != nil {
		return err
	}
	d.heldID, _ = document["id"].(string)
	d.say("   in the wallet: %v\n   %s\n", document["name"], d.heldID)
	return d.save("credential.json", pretty(d.held))
}

// restIssues issues to another key of the holder by REST.
func (d *demo) restIssues(ctx context.Context) error {
	other, err := newWallet(d.app.now)
	if err != nil {
		return err
	}
	d.say("   and one by REST, for another key of the holder\n")
	body, err := json.Marshal(map[string]any{
		"configuration": "dei-profile", "report": d.report.ID, "subject": map[string]string{"id": other.did}, "language": d.lang,
	})
	if err != nil {
		return err
	}
	var answer struct {
		ID          string `json:"id"`
		Credentials []struct {
			Credential json.RawMessage `json:"credential"`
		} `json:"credentials"`
	}
	if err := d.call(ctx, http.MethodPost, "/v1/credentials", "application/json", body, &answer); err != nil {
		return err
	}
	if len(answer.Credentials) != 1 {
		return fmt.Errorf("%d forms of the credential, want 1", len(answer.Credentials))
	}
	d.say("   %s\n", answer.ID)
	return d.save("credential-rest.json", pretty(answer.Credentials[0].Credential))
}

func pretty(data json.RawMessage) []byte {
	var b bytes.Buffer
	if err := json.Indent(&b, data, "", "  "); err != nil {
		return data
	}
	return append(b.Bytes(), '\n')
}

// registryKnows shows what anybody can read about the issuer, and the proof that the issue is in the log.
func (d *demo) registryKnows(ctx context.Context) error {
	d.title("Registry: what anybody can read, with no account")
	id := d.app.DID() + ":" + DemoTenant
	for _, path := range []string{
		"/" + DemoTenant + "/did.json", "/registry/v1/issuers/" + id, "/log/checkpoint",
	} {
		d.say("   %s%s\n", d.app.Config.Origin, path)
	}
	var issuer map[string]any
	if err := d.ask(ctx, http.MethodGet, "/registry/v1/issuers/"+url.PathEscape(id), "", nil, &issuer); err != nil {
		return err
	}
	data, err := json.MarshalIndent(issuer, "", "  ")
	if err != nil {
		return err
	}
	if err := d.save("registry-issuer.json", data); err != nil {
		return err
	}
	proof, err := d.logProof(ctx)
	if err != nil {
		return err
	}
	d.say("   the credential's commitment is entry %d of the transparency log, tree of %d\n", proof.Index, proof.TreeSize)
	data, err = json.MarshalIndent(proof, "", "  ")
	if err != nil {
		return err
	}
	return d.save("log-proof.json", data)
}

// logProof sends the outbox, as the server does within seconds by itself, and returns the proof of the credential's commitment.
func (d *demo) logProof(ctx context.Context) (schemas.LogProof, error) {
	if err := d.app.Issuer.DrainOutbox(ctx); err != nil {
		return schemas.LogProof{}, err
	}
	issued, err := d.app.Issuer.Get(ctx, DemoTenant, schemas.CredentialID(d.heldID))
	if err != nil {
		return schemas.LogProof{}, err
	}
	if issued.Log == nil {
		return schemas.LogProof{}, errors.New("the credential is not in the log")
	}
	return *issued.Log, nil
}

// verifies checks the credential as a stranger does: by REST, and from a machine of one's own against the registry.
func (d *demo) verifies(ctx context.Context) error {
	d.title("Verification: by a stranger, over REST and against the public registry")
	if err := d.verify(ctx, "verdict-valid.json", verifier.Valid); err != nil {
		return err
	}
	remote, err := remoteVerifier(ctx, d.app.Config.Origin, d.app.now)
	if err != nil {
		return err
	}
	result, err := remote.Verify(ctx, verifier.Input{Data: d.held})
	if err != nil {
		return err
	}
	d.say("   from outside, with the registry's signed snapshot: %s\n", result.Verdict)
	return expect(result, verifier.Valid)
}

// verify posts the credential and saves the verdict, which must be the one expected.
func (d *demo) verify(ctx context.Context, name string, want verifier.Verdict) error {
	var result verifier.Result
	if err := d.ask(ctx, http.MethodPost, "/v1/verify", "application/vc", d.held, &result); err != nil {
		return err
	}
	if err := d.show(result); err != nil {
		return err
	}
	data, err := json.MarshalIndent(result, "", "  ")
	if err != nil {
		return err
	}
	return errors.Join(d.save(name, data), expect(result, want))
}

func (d *demo) show(result verifier.Result) error {
	printer, err := report.NewPrinter("en")
	if err != nil {
		return err
	}
	var text bytes.Buffer
	if err := printer.Write(&text, []report.Checked{{File: "credential.json", Result: &result}}); err != nil {
		return err
	}
	d.say("%s\n", indent(text.Bytes()))
	return nil
}

func expect(result verifier.Result, want verifier.Verdict) error {
	if result.Verdict != want {
		return fmt.Errorf("verdict is %s, want %s", result.Verdict, want)
	}
	return nil
}

// revokes revokes the credential and verifies it again.
func (d *demo) revokes(ctx context.Context) error {
	d.title("Revocation: the issuer takes it back, and the same credential verifies as revoked")
	path := "/v1/credentials/" + url.PathEscape(d.heldID) + "/status"
	if err := d.call(ctx, http.MethodPost, path, "application/json", []byte(`{"status":"revoked","reason":"demo"}`), nil); err != nil {
		return err
	}
	// The list follows within seconds by itself; the demo does not wait for it.
	if err := d.app.Registry.Publish(ctx); err != nil {
		return err
	}
	return d.verify(ctx, "verdict-revoked.json", verifier.Invalid)
}

// offline verifies once more with the server stopped, from the data folder alone.
func (d *demo) offline(ctx context.Context, cfg config.Config, log *slog.Logger) error {
	d.title("Offline: the server is stopped; the command line reads the data folder")
	a, err := Build(ctx, cfg, log, Options{})
	if err != nil {
		return err
	}
	result, err := a.Verifier.Verify(ctx, verifier.Input{Data: d.held})
	if err = errors.Join(err, a.Close()); err != nil {
		return err
	}
	d.say("   credential.json: %s\n\nDone. Everything named above lies in %s; `make run` starts a server with pages.\n", result.Verdict, d.out)
	if err := expect(result, verifier.Invalid); err != nil {
		return err
	}
	if d.console.json {
		return d.console.answer(map[string]any{"folder": d.out, "report": d.report.ID, "credential": d.heldID, "verdict": result.Verdict}, "")
	}
	return nil
}
