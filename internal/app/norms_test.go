package app_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"heartmark/internal/app"
)

func TestNormsCuts(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	var panel strings.Builder
	for n := range 400 { // two rounds, five judges, forty exchanges
		fmt.Fprintf(&panel, `{"judge":"j%d","dimension":"self_management","level":"advanced","round":%d,"item":"x%d","p":0.%d}`+"\n", n%5, n/200+1, n/5%40, 70+n%5)
	}
	file, out := filepath.Join(dir, "panel.jsonl"), filepath.Join(dir, "cuts.json")
	if err := os.WriteFile(file, []byte(panel.String()), 0o600); err != nil {
		t.Fatal(err)
	}
	var text, errs bytes.Buffer
	if code := app.Main(t.Context(), []string{"norms", "cuts", file, "--out", out}, &text, &errs); code != app.ExitDone || !strings.Contains(text.String(), "72.0  standard error 0.7 (5 judges, 40 exchanges") {
		t.Errorf("cuts: exit %d, %s%s", code, text.String(), errs.String())
	}
	if data, err := os.ReadFile(out); err != nil || !bytes.Contains(data, []byte(`"heartmark-cuts/1"`)) {
		t.Errorf("file: %s, %v", data, err)
	}
	if err := os.WriteFile(file, []byte(panel.String()[:2000]), 0o600); err != nil {
		t.Fatal(err)
	}
	if code := app.Main(t.Context(), []string{"norms", "cuts", file}, &text, &errs); code != app.ExitData {
		t.Errorf("a torn file: exit %d", code)
	}
}
