package api_test

import (
	"strings"
	"testing"
)

// TestDocsExamplesNameWhatIsRequired: a call copied from the page lacks no parameter without which it is refused.
func TestDocsExamplesNameWhatIsRequired(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	for group, call := range map[string]string{
		"live":     "/v1/live/practice?consent=CONSENT",
		"registry": "?from=FROM&amp;to=TO",
	} {
		if rec := w.do("GET", "/docs/api/"+group, ""); rec.Code != 200 || !strings.Contains(rec.Body.String(), call+"&#39;") {
			t.Errorf("%s: %d, without %s", group, rec.Code, call)
		}
	}
}
