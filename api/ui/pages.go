package ui

import (
	"bytes"
	"context"
	"embed"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"strings"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/schemas"
	"heartmark/verifier"
)

//go:embed templates
var templateFiles embed.FS

// Verifier answers whether a credential is valid.
type Verifier interface {
	Verify(ctx context.Context, in verifier.Input) (verifier.Result, error)
}

// Registry gives what the registry page shows.
type Registry interface {
	Overview(ctx context.Context) (Overview, error)
}

// Config is what New needs; all fields are required except Dev.
type Config struct {
	// Origin is the public origin, DID the installation's identifier.
	Origin, DID string
	// Dev shows on every page that the installation runs in development mode.
	Dev      bool
	Problems *problem.Catalog
	Verifier Verifier
	Registry Registry
}

// Pages renders the pages. It is safe for concurrent use.
type Pages struct {
	c      Config
	words  map[string]words
	sets   map[string]map[string]*template.Template // by language, then page
	assets map[string]asset
}

// pageNames are the templates that define a whole page.
func pageNames() []string {
	return []string{"home", "verify", "registry", "problem", "problems", "error", "offer", "authorize"}
}

// New parses all templates in all languages.
func New(c Config) (*Pages, error) {
	if c.Problems == nil || c.Verifier == nil || c.Registry == nil || c.Origin == "" || c.DID == "" {
		return nil, errors.New("pages: a field of the configuration is missing")
	}
	assets, err := loadAssets()
	if err != nil {
		return nil, fmt.Errorf("pages: %w", err)
	}
	p := &Pages{c: c, words: map[string]words{}, sets: map[string]map[string]*template.Template{}, assets: assets}
	for _, lang := range schemas.Languages() {
		w, err := loadWords(lang)
		if err != nil {
			return nil, err
		}
		p.words[lang] = w
		p.sets[lang] = map[string]*template.Template{}
		for _, name := range pageNames() {
			t := template.New(name).Funcs(template.FuncMap{"t": w.get, "asset": p.link}).Option("missingkey=error")
			t, err := t.ParseFS(templateFiles, "templates/base.html", "templates/icons.html", "templates/verdict.html", "templates/"+name+".html")
			if err != nil {
				return nil, fmt.Errorf("template %s: %w", name, err)
			}
			p.sets[lang][name] = t
		}
	}
	return p, nil
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

func (p *Pages) page(w words, key, nav string) page {
	other := schemas.LanguageChinese
	if w.lang == schemas.LanguageChinese {
		other = schemas.LanguageEnglish
	}
	return page{
		Title: w.text[key+".title"], Description: w.text[key+".description"], OtherLang: other, LangLink: "?lang=" + other, Nav: nav,
		Dev: p.c.Dev, DID: p.c.DID, Origin: p.c.Origin,
	}
}

// begin finds the language of the reader and keeps a choice made by ?lang= in a cookie.
func (p *Pages) begin(w http.ResponseWriter, r *http.Request) words {
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

// levelView is a level with its words.
type levelView struct {
	Dimension, Level, Name, Rubric, Confidence string
	Number                                     int
}

// dimensionView is a dimension with its rubric.
type dimensionView struct {
	Name, Description string
	Levels            []levelView
}

type homePage struct {
	page
	Sample     []levelView
	Dimensions []dimensionView
}

// Home answers the start page.
func (p *Pages) Home(w http.ResponseWriter, r *http.Request) error {
	words := p.begin(w, r)
	data := homePage{page: p.page(words, "home", "home")}
	sample := map[schemas.Dimension]schemas.Level{
		schemas.DimensionSelfAwareness: schemas.LevelProficient, schemas.DimensionSelfManagement: schemas.LevelDeveloping,
		schemas.DimensionSocialAwareness: schemas.LevelAdvanced, schemas.DimensionSocialSkills: schemas.LevelProficient,
	}
	for _, d := range schemas.Dimensions() {
		data.Sample = append(data.Sample, levelView{
			Dimension: d.Name(words.lang), Level: sample[d].Name(words.lang), Number: int(sample[d]),
		})
		view := dimensionView{Name: d.Name(words.lang), Description: d.Description(words.lang)}
		for _, l := range schemas.Levels() {
			view.Levels = append(view.Levels, levelView{Name: l.Name(words.lang), Number: int(l), Rubric: l.Rubric(d, words.lang)})
		}
		data.Dimensions = append(data.Dimensions, view)
	}
	return p.render(w, words.lang, "home", "base", http.StatusOK, data)
}
