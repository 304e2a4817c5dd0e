package main

import (
	"bytes"
	"encoding/base64"
	"encoding/json"
	"os"
	"strings"
	"testing"
	"time"

	"heartmark/internal/app"
	"heartmark/verifier/offline"
	"heartmark/verifier/report"
)

// TestLifeOffLine walks real artefacts through what can happen to them, each by the snapshot that the registry made after
// it: nothing else is read.
func TestLifeOffLine(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, "http://localhost:18090")
	stranger := newInstallation(t, "http://localhost:18091")
	anchor := i.anchor()
	issued := i.issue("1")
	good := i.file("credential.json", issued.Credential)
	shown := i.file("presentation.json", i.presentation(issued.Credential, "c-1"))
	fresh := i.snapshot("fresh.json")
	made := i.clock.Now()
	second := i.file("second.json", i.issue("2").Credential)
	before := i.snapshot("before.json")

	must(t, i.Issuer.Suspend(t.Context(), app.DemoTenant, issued.ID, "test"))
	suspended := i.snapshot("suspended.json")
	must(t, i.Issuer.Reinstate(t.Context(), app.DemoTenant, issued.ID, "test"))
	reinstated := i.snapshot("reinstated.json")
	must(t, i.Issuer.Revoke(t.Context(), app.DemoTenant, issued.ID, "test"))
	revoked := i.snapshot("revoked.json")
	must(t, i.RevokeKey(t.Context(), issued.SigningKey, i.clock.Now(), "test"))
	keyRevoked := i.snapshot("key-revoked.json")
	_, err := i.Registry.Deactivate(t.Context(), operator(), i.DID()+":"+app.DemoTenant, "test")
	must(t, err)
	deactivated := i.snapshot("deactivated.json")
	now := i.clock.Now()

	foreign := i.file("foreign.json", stranger.issue("1").Credential)
	changed := i.file("changed.json", bytes.Replace(issued.Credential, []byte("Proficient"), []byte("Advanced  "), 1))
	junk := i.file("junk.json", []byte("eyJ not a credential"))

	cases := []struct {
		name, snapshot, file string
		at                   time.Time
		policy               string
		exit                 int
		code                 string // of a check, "" where there is none to look for
	}{
		{"valid", fresh, good, made, offline.Policy, report.ExitValid, "status_ok"},
		{"valid under the closed policy, while the snapshot is minutes old", fresh, good, made.Add(time.Minute), "default", report.ExitValid, "status_ok"},
		{"a presentation by its holder", fresh, shown, made, offline.Policy, report.ExitValid, "holder_binding_ok"},
		{"SEC-078 past the ttl under the closed policy", fresh, good, made.Add(10 * time.Minute), "default", report.ExitUndetermined, "status_stale"},
		{"hours old under the policy for snapshots", fresh, good, made.Add(20 * time.Hour), offline.Policy, report.ExitValid, "status_ok"},
		{"SEC-078 the snapshot ran out", fresh, good, made.Add(25 * time.Hour), offline.Policy, report.ExitUndetermined, "authority_unavailable"},
		{"SEC-209 the clock is behind the snapshot", fresh, good, made.Add(-90 * time.Second), offline.Policy, report.ExitUndetermined, "authority_unavailable"},
		{"SEC-141 issuer of another registry", fresh, foreign, made, offline.Policy, report.ExitNotValid, "authority_unknown"},
		{"SEC-224 changed by one word", fresh, changed, made, offline.Policy, report.ExitNotValid, "proof_invalid"},
		{"SEC-224 not a credential", fresh, junk, made, offline.Policy, report.ExitNotValid, ""},
		{"without a snapshot", "", good, made, offline.Policy, report.ExitUndetermined, "authority_unavailable"},
		{"another credential is valid", before, second, now, offline.Policy, report.ExitValid, "status_ok"},
		{"suspended", suspended, good, now, offline.Policy, report.ExitNotValid, "status_suspended"},
		{"reinstated", reinstated, good, now, offline.Policy, report.ExitValid, "status_ok"},
		{"revoked", revoked, good, now, offline.Policy, report.ExitNotValid, "status_revoked"},
		{"a presentation of what was revoked", revoked, shown, now, offline.Policy, report.ExitNotValid, "status_revoked"},
		{"another is not revoked", revoked, second, now, offline.Policy, report.ExitValid, "status_ok"},
		{"SEC-064 its key was revoked later", keyRevoked, second, now, offline.Policy, report.ExitNotValid, "purpose_not_listed"},
		{"SEC-065 its issuer was switched off", deactivated, second, now, offline.Policy, report.ExitNotValid, "authority_inactive"},
	}
	for _, tc := range cases {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			args := []string{"--json", "--policy", tc.policy, "--trust", anchor, tc.file}
			if tc.file == shown {
				args = append(args, "--challenge", "c-1")
			}
			if tc.snapshot != "" {
				args = append(args, "--snapshot", tc.snapshot)
			}
			got := verify(t, tc.at, nil, args...)
			if got.code != tc.exit || (tc.code != "" && !got.has(tc.code)) {
				t.Errorf("exit %d, want %d with %s\n%s", got.code, tc.exit, tc.code, got)
			}
		})
	}
	for challenge, exit := range map[string]int{"": report.ExitUndetermined, "c-2": report.ExitNotValid, "c-1": report.ExitValid} {
		got := verify(t, made, nil, "--json", "--trust", anchor, "--snapshot", fresh, "--challenge", challenge, shown)
		if got.code != exit {
			t.Errorf("a presentation where the challenge was %q: exit %d, want %d\n%s", challenge, got.code, exit, got)
		}
	}
	all := verify(t, now, nil, "--json", "--trust", anchor, "--snapshot", revoked, second, good)
	if all.code != report.ExitNotValid || len(all.checked) != 2 {
		t.Errorf("a valid and a revoked one: exit %d, %d answers", all.code, len(all.checked))
	}
}

// TestSnapshotRefused: a snapshot of a registry that is not trusted, or with any part changed, is not read at all.
func TestSnapshotRefused(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, "http://localhost:18092")
	stranger := newInstallation(t, "http://localhost:18093")
	credential := i.file("credential.json", i.issue("1").Credential)
	path := i.snapshot("snapshot.json")
	data, err := os.ReadFile(path)
	must(t, err)
	now, anchor := i.clock.Now(), i.anchor()
	middle := bytes.Clone(data)
	middle[len(middle)/2] ^= 1
	var sealed struct {
		Payload   string `json:"payload"`
		Signature struct {
			KeyID string `json:"keyId"`
			Value string `json:"value"`
		} `json:"signature"`
	}
	must(t, json.Unmarshal(data, &sealed))
	renamed := bytes.Replace(data, []byte(sealed.Signature.KeyID), []byte(i.DID()+":demo#key"), 1)
	payload, err := base64.RawURLEncoding.DecodeString(sealed.Payload)
	must(t, err)
	edited := strings.Replace(string(data), sealed.Payload, base64.RawURLEncoding.EncodeToString(bytes.Replace(payload, []byte("active"), []byte("Active"), 1)), 1)

	for _, tc := range []struct {
		name string
		args []string
		exit int
	}{
		{"one bit changed", []string{"--trust", anchor, "--snapshot", i.file("middle.json", middle)}, exitData},
		{"a statement changed", []string{"--trust", anchor, "--snapshot", i.file("edited.json", []byte(edited))}, exitData},
		{"another name for the key", []string{"--trust", anchor, "--snapshot", i.file("renamed.json", renamed)}, exitData},
		{"cut off", []string{"--trust", anchor, "--snapshot", i.file("cut.json", data[:len(data)/2])}, exitData},
		{"empty file", []string{"--trust", anchor, "--snapshot", i.file("empty.json", nil)}, exitData},
		{"no such file", []string{"--trust", anchor, "--snapshot", i.folder + "/none.json"}, exitData},
		{"a credential in its place", []string{"--trust", anchor, "--snapshot", credential}, exitData},
		{"the registry is not trusted", []string{"--trust", stranger.anchor(), "--snapshot", path}, exitData},
		{"no registry is trusted", []string{"--snapshot", path}, exitUsage},
		{"a DID that needs the network", []string{"--trust", "did:web:dei.example", "--snapshot", path}, exitUsage},
		{"no DID", []string{"--trust", "everybody", "--snapshot", path}, exitUsage},
		{"unknown policy", []string{"--trust", anchor, "--snapshot", path, "--policy", "lenient"}, exitUsage},
		{"unreadable time", []string{"--trust", anchor, "--snapshot", path, "--at", "yesterday"}, exitUsage},
		{"unknown language", []string{"--trust", anchor, "--snapshot", path, "--lang", "fr"}, exitUsage},
		{"unknown flag", []string{"--offline"}, exitUsage},
		{"one trusted registry of two", []string{"--trust", stranger.anchor(), "--trust", anchor, "--snapshot", path}, report.ExitValid},
	} {
		got := verify(t, now, nil, append(tc.args, credential)...)
		if got.code != tc.exit || (got.code >= exitUsage && (got.out != "" || got.err == "")) {
			t.Errorf("%s: exit %d, want %d\n%s%s", tc.name, got.code, tc.exit, got.out, got.err)
		}
	}
	if got := verify(t, now, nil, "--trust", anchor, "--snapshot", path); got.code != exitUsage {
		t.Errorf("no file: exit %d, want %d", got.code, exitUsage)
	}
	if got := verify(t, now, nil, "--trust", anchor, "--snapshot", path, i.folder+"/none.json"); got.code != exitData {
		t.Errorf("no such credential: exit %d, want %d", got.code, exitData)
	}
	if got := verify(t, now, []string{envSnapshot + "=" + path, envTrust + "=" + stranger.anchor() + " " + anchor}, credential); got.code != report.ExitValid {
		t.Errorf("settings from the environment: exit %d\n%s%s", got.code, got.out, got.err)
	}
}

// TestWords: the answer names what passed, failed or could not be made, and how old what it relied on is, in both languages.
func TestWords(t *testing.T) {
	t.Parallel()
	i := newInstallation(t, "http://localhost:18094")
	credential := i.file("credential.json", i.issue("1").Credential)
	path := i.snapshot("snapshot.json")
	made, terms := i.clock.Now(), []string{"--trust", i.anchor(), "--snapshot", path, credential}
	for _, tc := range []struct {
		name    string
		at      time.Time
		environ []string
		args    []string
		want    []string
	}{
		{"English", made.Add(3*time.Hour + 20*time.Minute), nil, nil, []string{
			": VALID (policy offline)", "Heartmark Demo Academy", "Proficient", "passed: Signature.", "passed: Not revoked or suspended (revocation).",
			"(3 h 20 min old)", "Relied on the registry snapshot of " + i.DID(), "(3 h 20 min before)",
		}},
		{"Chinese by flag", made.Add(3 * time.Hour), nil, []string{"--lang", "zh"}, []string{"有效（策略 offline）", "通过：签名。", "（3 小时前的数据）", "所依据的登记簿快照"}},
		{"Chinese by environment", made, []string{"LANG=zh_CN.UTF-8"}, nil, []string{"有效（策略 offline）"}},
		{"English by flag over the environment", made, []string{"LANG=zh_CN.UTF-8"}, []string{"--lang", "en"}, []string{": VALID (policy offline)"}},
		{"run out", made.Add(49 * time.Hour), nil, nil, []string{": UNDETERMINED", "could not be decided: Issuer entitled (now).", "ran out at", "2 d 1 h", "nothing can be called valid"}},
		{"run out, in Chinese", made.Add(49 * time.Hour), nil, []string{"--lang", "zh"}, []string{"无法判定", "无法判定：颁发权限 (now)。", "过期"}},
		{"clock behind", made.Add(-48 * time.Hour), nil, nil, []string{"the clock is wrong"}},
		{"past time", made.Add(100 * time.Hour), nil, []string{"--at", made.Add(time.Hour).Format(time.RFC3339)}, []string{": VALID", "Judged as of " + made.Add(time.Hour).Format(time.RFC3339) + ", not as of now."}},
	} {
		got := verify(t, tc.at, tc.environ, append(tc.args, terms...)...)
		for _, want := range tc.want {
			if !strings.Contains(got.out, want) {
				t.Errorf("%s: %q is not in\n%s%s", tc.name, want, got.out, got.err)
			}
		}
	}
	marked := verify(t, made, nil, append([]string{"--json", "--at", made.Format(time.RFC3339)}, terms...)...)
	if c := marked.checked; len(c) != 1 || !c[0].AsOf.Equal(made) || c[0].Snapshot == nil || c[0].Snapshot.State != offline.Current {
		t.Errorf("answer for machines: %s%s", marked.out, marked.err)
	}
	none := verify(t, made, nil, credential)
	if none.code != report.ExitUndetermined || !strings.Contains(none.out, "Without a registry snapshot") {
		t.Errorf("without a snapshot: exit %d\n%s", none.code, none.out)
	}
}
