package ui

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"io/fs"
	"net/http"
	"strings"
	"time"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/api/ui/verdict"
	"heartmark/api/ui/words"
	"heartmark/schemas"
	"heartmark/verifier"
)

//go:embed templates locale
var files embed.FS

// Verifier answers whether a credential is valid.
type Verifier interface {
	Verify(ctx context.Context, in verifier.Input) (verifier.Result, error)
}

// Registry gives what the registry page shows.
type Registry interface {
	// Overview lists what there is; q, where it is not empty, leaves issuers and artefacts that hold it.
	Overview(ctx context.Context, q string) (Overview, error)
	// Issuer returns one issuer with all authorities that it ever had; registry.ErrNotFound where there is none.
	Issuer(ctx context.Context, did string) (IssuerOverview, error)
	LogState(ctx context.Context) (LogOverview, error)
	// LogEntries returns at most limit entries from first on.
	LogEntries(ctx context.Context, first uint64, limit int) ([][]byte, error)
	LogProof(ctx context.Context, index uint64) (schemas.LogProof, error)
	// SnapshotKeys are the keys that may sign the snapshot now, as did:key.
	SnapshotKeys(ctx context.Context) ([]string, error)
}

// Config is what New needs; all fields are required except Dev and Asker.
type Config struct {
	// Origin is the public origin, DID the installation's identifier.
	Origin, DID string
	// Dev shows on every page that the installation runs in development mode.
	Dev      bool
	Problems *problem.Catalog
	Verifier Verifier
	Registry Registry
	// Asker asks a candidate's wallet; nil answers 503.
	Asker    Asker
	Practice Practice
	Now      func() time.Time
	// Contract is the OpenAPI document as JSON.
	Contract []byte
}

// Pages renders the pages. It is safe for concurrent use.
type Pages struct {
	c        Config
	words    map[string]words.Words
	sets     map[string]map[string]*template.Template // by language, then page
	assets   map[string]asset
	contract *document
}

// pageNames are the templates that define a whole page.
func pageNames() []string {
	return []string{
		"home", "verify", "ask", "ask_result", "practice", "scene", "registry", "issuer", "log", "entry", "docs", "offer", "authorize",
		"problem", "problems", "error",
	}
}

// New parses all templates in all languages.
func New(c Config) (*Pages, error) {
	if c.Problems == nil || c.Verifier == nil || c.Registry == nil || c.Practice == nil || c.Now == nil || c.Origin == "" || c.DID == "" {
		return nil, errors.New("pages: a field of the configuration is missing")
	}
	assets, err := loadAssets()
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	p := &Pages{c: c, words: map[string]words.Words{}, sets: map[string]map[string]*template.Template{}, assets: assets}
	if p.contract, err = readDocument(c.Contract, c.Origin); err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	for _, lang := range schemas.Languages() {
		w, err := loadWords(lang)
		if err != nil {
			return nil, err
		}
		p.words[lang] = w
		p.sets[lang] = map[string]*template.Template{}
		for _, name := range pageNames() {
			if p.sets[lang][name], err = p.parse(w, name); err != nil {
				return nil, fmt.Errorf("template %s: %w", name, err)
			}
		}
	}
	return p, nil
}

// loadWords reads the texts of the pages and of verdicts.
func loadWords(lang string) (words.Words, error) {
	own, err := fs.Sub(files, "locale")
	if err != nil {
		return words.Words{}, fmt.Errorf("page texts: %w", err)
	}
	verdicts, err := verdict.Catalogue()
	if err != nil {
		return words.Words{}, err
	}
	return words.Load(lang, own, verdicts)
}

// parse makes the page of a name: the frame, the parts that pages share, and what stands in templates/<name>.html.
func (p *Pages) parse(w words.Words, name string) (*template.Template, error) {
	t := template.New(name).Funcs(template.FuncMap{"t": w.Get, "asset": p.link}).Option("missingkey=error")
	t, err := verdict.Parse(t)
	if err != nil {
		return nil, err
	}
	return t.ParseFS(files, "templates/base.html", "templates/parts.html", "templates/"+name+".html")
}

// page is what every page has.
type page struct {
	Title, Description string
	OtherLang          string
	LangLink           string // to the same page in the other language
	Nav                string
	Dev                bool
	DID, Origin        string
}

func (p *Pages) page(w words.Words, key, nav string) page {
	other := schemas.LanguageChinese
	if w.Lang == schemas.LanguageChinese {
		other = schemas.LanguageEnglish
	}
	return page{
		Title: w.Text(key + ".title"), Description: w.Text(key + ".description"), OtherLang: other, LangLink: "?lang=" + other, Nav: nav,
		Dev: p.c.Dev, DID: p.c.DID, Origin: p.c.Origin,
	}
}

// begin finds the language of the reader and keeps a choice made by ?lang= in a cookie.
func (p *Pages) begin(w http.ResponseWriter, r *http.Request) words.Words {
	lang := edge.Language(r)
	if q := r.URL.Query().Get("lang"); q != "" {
		if chosen, ok := schemas.ParseLanguage(q); ok {
			http.SetCookie(w, &http.Cookie{ //nolint:gosec // G124: Secure wherever the origin is https; in development it is http on loopback
				Name: edge.LanguageCookie, Value: chosen, Path: "/", MaxAge: 365 * 24 * 3600,
				HttpOnly: true, SameSite: http.SameSiteLaxMode, Secure: strings.HasPrefix(p.c.Origin, "https:"),
			})
		}
	}
	return p.words[lang]
}

// render writes a page, or the named part of it, only when it was rendered without a fault.
func (p *Pages) render(w http.ResponseWriter, lang, name, part string, status int, data any) error {
	var buf bytes.Buffer
	if err := p.sets[lang][name].ExecuteTemplate(&buf, part, data); err != nil {
		return fmt.Errorf("page %s: %w", name, err)
	}
	h := w.Header()
	h.Set("Content-Type", "text/html; charset=utf-8")
	h.Set("Content-Language", lang)
	h.Add("Vary", "Accept-Language, Cookie")
	w.WriteHeader(status)
	_, _ = w.Write(buf.Bytes()) // the client may be gone; there is nobody left to tell
	return nil
}

// dimensionView is a dimension with its rubric.
type dimensionView struct {
	Name, Description string
	Levels            []verdict.Level
}

type homePage struct {
	page
	Sample     []verdict.Level
	Dimensions []dimensionView
}

// Home answers the start page.
func (p *Pages) Home(w http.ResponseWriter, r *http.Request) error {
	texts := p.begin(w, r)
	data := homePage{page: p.page(texts, "home", "home")}
	sample := map[schemas.Dimension]schemas.Level{
		schemas.DimensionSelfAwareness: schemas.LevelProficient, schemas.DimensionSelfManagement: schemas.LevelDeveloping,
		schemas.DimensionSocialAwareness: schemas.LevelAdvanced, schemas.DimensionSocialSkills: schemas.LevelProficient,
	}
	for _, d := range schemas.Dimensions() {
		data.Sample = append(data.Sample, verdict.Level{
			Dimension: d.Name(texts.Lang), Level: sample[d].Name(texts.Lang), Number: int(sample[d]),
		})
		view := dimensionView{Name: d.Name(texts.Lang), Description: d.Description(texts.Lang)}
		for _, l := range schemas.Levels() {
			view.Levels = append(view.Levels, verdict.Level{Name: l.Name(texts.Lang), Number: int(l), Rubric: l.Rubric(d, texts.Lang)})
		}
		data.Dimensions = append(data.Dimensions, view)
	}
	return p.render(w, texts.Lang, "home", "base", http.StatusOK, data)
}

// CheckText says in lang what came out of a check.
func (p *Pages) CheckText(lang string, c verifier.Check) string {
	w, ok := p.words[lang]
	if !ok {
		w = p.words[schemas.LanguageEnglish]
	}
	return verdict.CheckText(w, c)
}
