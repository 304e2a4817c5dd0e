package text_test

import (
	"bufio"
	"encoding/json"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"heartmark/assessment/text"
	"heartmark/internal/testkit"
)

// On real text of both languages nearly every piece is known, and the language is the annotated one.
func TestRealText(t *testing.T) {
	t.Parallel()
	tok := loadTokenizer(t)
	for _, c := range []struct {
		set, lang string
		agree     float64
	}{{"goemotions", "en", 0.97}, {"diasafety", "en", 0.97}, {"cold", "zh", 0.98}} {
		path := filepath.Join(testkit.Shared(t, "data/"+c.set), "dev.jsonl")
		file, err := os.Open(path)
		if err != nil {
			t.Fatal(err)
		}
		lines := bufio.NewScanner(file)
		lines.Buffer(nil, 1<<20)
		rows, pieces, unknown, right := 0, 0, 0, 0
		for lines.Scan() && rows < 1000 {
			var row struct {
				Text string `json:"text"`
			}
			if err := json.Unmarshal(lines.Bytes(), &row); err != nil {
				t.Fatal(err)
			}
			rows++
			view := text.Clean(row.Text).Text
			for _, id := range tok.Encode(view) {
				pieces++
				if id == text.IDUnknown {
					unknown++
				}
			}
			if lang, sure := text.Language(view); lang == c.lang || sure < 0.8 || strings.TrimSpace(view) == "" {
				right++
			}
		}
		file.Close()
		if rows == 0 || pieces == 0 {
			t.Fatalf("%s: no rows", c.set)
		}
		if share := float64(unknown) / float64(pieces); share > 0.002 {
			t.Errorf("%s: %.4f of the pieces are unknown, want at most 0.002", c.set, share)
		}
		if share := float64(right) / float64(rows); share < c.agree {
			t.Errorf("%s: %.3f of the texts are taken for %s or left open, want %.2f", c.set, share, c.lang, c.agree)
		}
	}
}
