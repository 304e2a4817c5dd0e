// Package verdict puts the result of a verification into words and into the one piece of a page that shows it. The server
// renders it for those who post the form, and the verifier in the browser (package browser) renders it there, so that
// nobody reads two wordings. Start at New; Parse adds the template "result", which takes an Answer.
package verdict

import (
	"embed"
	"fmt"
	"html/template"
	"io/fs"

	"heartmark/api/ui/words"
)

//go:embed templates locale
var files embed.FS

// Answer is what the template "result" shows: nothing, a fault, or a verdict. Pages embed it.
type Answer struct {
	Verdict *View
	Fault   *Fault
}

// Parse adds the templates of this package, and the icons, to t, which has the function "t" for texts.
func Parse(t *template.Template) (*template.Template, error) {
	t, err := t.ParseFS(files, "templates/*.html")
	if err != nil {
		return nil, fmt.Errorf("verdict templates: %w", err)
	}
	return t, nil
}

// Catalogue holds the texts of verdicts, for words.Load.
func Catalogue() (fs.FS, error) {
	c, err := fs.Sub(files, "locale")
	if err != nil {
		return nil, fmt.Errorf("verdict texts: %w", err)
	}
	return c, nil
}

// Load returns the texts of verdicts alone, in lang.
func Load(lang string) (words.Words, error) {
	c, err := Catalogue()
	if err != nil {
		return words.Words{}, err
	}
	return words.Load(lang, c)
}
