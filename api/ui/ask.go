package ui

import (
	"context"
	"errors"
	"fmt"
	"html/template"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/api/ui/verdict"
	"heartmark/api/ui/words"
	"heartmark/internal/qrcode"
	"heartmark/schemas"
	"heartmark/verifier"
	"heartmark/verifier/oid4vp"
)

// Asker asks a candidate's wallet; *oid4vp.Service is one.
type Asker interface {
	Create(ctx context.Context, a oid4vp.Ask) (oid4vp.Created, error)
	Read(ctx context.Context, tenant, transactionID, responseCode string) (oid4vp.Status, error)
}

// AskCookie keeps the transaction id in the browser of whoever asked: it never stands in an address, and never meets the
// wallet.
const AskCookie = "heartmark-ask"

const (
	askPath = "/verify/ask"
	// askCookieLife covers asking and reading.
	askCookieLife = 15 * 60
)

// askPage is the form, or the code that waits for a wallet.
type askPage struct {
	page
	Dimensions []choice
	Levels     []choice
	// The request that waits, and nothing while the form is shown.
	Waiting   bool
	Question  string
	Here      bool // the wallet is on this device
	QR        template.URL
	WalletURL template.URL
	Minutes   int
	Fault     *verdict.Fault
}

type choice struct {
	Value, Name string
	Chosen      bool
}

// askResult is what came of it.
type askResult struct {
	page
	State    string
	Heading  string
	Text     string
	Answered bool
	// Unbound says that nothing ties the person who presented to the one who was shown the code.
	Unbound bool
	Verdict *verdict.View
	Fault   *verdict.Fault
}

// AskForm answers the form that asks a candidate.
func (p *Pages) AskForm(w http.ResponseWriter, r *http.Request) error {
	texts := p.begin(w, r)
	return p.render(w, texts.Lang, "ask", "base", http.StatusOK, p.askPage(texts, schemas.DimensionSocialAwareness, schemas.LevelProficient))
}

func (p *Pages) askPage(w words.Words, d schemas.Dimension, l schemas.Level) askPage {
	data := askPage{page: p.page(w, "ask", "verify")}
	for _, dimension := range schemas.ResultDimensions() {
		data.Dimensions = append(data.Dimensions, choice{string(dimension), dimension.Name(w.Lang), dimension == d})
	}
	for _, level := range schemas.Levels() {
		data.Levels = append(data.Levels, choice{level.Number(), level.Name(w.Lang), level == l})
	}
	return data
}

// AskPost opens a session and shows its code, or its link where the wallet is on this device.
func (p *Pages) AskPost(w http.ResponseWriter, r *http.Request) error {
	texts := p.begin(w, r)
	if p.c.Asker == nil {
		return fmt.Errorf("ask page: %w", problem.ErrUnavailable)
	}
	// A foreign page must not start a session in this browser.
	if err := http.NewCrossOriginProtection().Check(r); err != nil {
		return fmt.Errorf("ask page: %w: %w", problem.ErrForbidden, err)
	}
	form, err := edge.ReadForm(r)
	if err != nil {
		return err
	}
	number, _ := strconv.Atoi(form.Get("level"))
	dimension, level, here := schemas.Dimension(form.Get("dimension")), schemas.Level(number), form.Get("where") == "here"
	if !dimension.Valid() || !slices.Contains(schemas.Levels(), level) {
		return &schemas.FieldError{Pointer: "/dimension", Expected: "a dimension and a level of the form", Err: schemas.ErrMalformed}
	}
	ask := oid4vp.Ask{Template: &oid4vp.Template{Dimension: dimension, Level: level}, Flow: oid4vp.CrossDevice}
	if here {
		ask.Flow, ask.RedirectTemplate = oid4vp.SameDevice, p.c.Origin+askPath+"/result?response_code="+oid4vp.CodePlace
	}
	created, err := p.c.Asker.Create(r.Context(), ask)
	if err != nil {
		return fmt.Errorf("ask page: %w", err)
	}
	p.keepAsk(w, created.TransactionID, askCookieLife)
	data := p.askPage(texts, dimension, level)
	data.Waiting, data.Here, data.Minutes = true, here, int(oid4vp.SessionLife.Minutes())
	data.Question = strings.NewReplacer("{dimension}", dimension.Name(texts.Lang), "{level}", level.Name(texts.Lang)).Replace(texts.Text("ask.question"))
	data.WalletURL = template.URL(created.WalletURL) //nolint:gosec // G203: made by our own service; the scheme is the wallets'
	if !here {
		picture, err := qrcode.DataURL(created.WalletURL)
		if err != nil {
			return err
		}
		data.QR = template.URL(picture) //nolint:gosec // G203: a drawing of our own
	}
	return p.render(w, texts.Lang, "ask", "base", http.StatusOK, data)
}

func (p *Pages) keepAsk(w http.ResponseWriter, value string, age int) {
	http.SetCookie(w, &http.Cookie{ //nolint:gosec // G124: Secure wherever the origin is https; in development it is http on loopback
		Name: AskCookie, Value: value, Path: askPath, MaxAge: age, HttpOnly: true, SameSite: http.SameSiteLaxMode,
		Secure: strings.HasPrefix(p.c.Origin, "https:"),
	})
}

// AskResult answers what came of the session whose id this browser keeps. A result is shown once and then destroyed.
func (p *Pages) AskResult(w http.ResponseWriter, r *http.Request) error {
	texts := p.begin(w, r)
	if p.c.Asker == nil {
		return fmt.Errorf("ask page: %w", problem.ErrUnavailable)
	}
	query, err := edge.Query(r, "response_code", "lang")
	if err != nil {
		return err
	}
	data := askResult{page: p.page(texts, "ask", "verify"), State: "none"}
	status := http.StatusOK
	if cookie, err := r.Cookie(AskCookie); err == nil {
		found, err := p.c.Asker.Read(r.Context(), "", cookie.Value, query["response_code"])
		switch {
		case errors.Is(err, oid4vp.ErrNotFound):
		case err != nil:
			if status = p.c.Problems.Lookup(err).Status; status >= http.StatusInternalServerError {
				return fmt.Errorf("ask result: %w", err)
			}
			data.State, data.Fault = "fault", p.fault(texts, err)
		default:
			p.answered(texts, &data, found)
		}
	}
	if data.Fault == nil && !data.Answered {
		data.Heading, data.Text = texts.Text("ask.state."+data.State), texts.Text("ask.state."+data.State+".text")
	}
	return p.render(w, texts.Lang, "ask_result", "base", status, data)
}

func (p *Pages) answered(w words.Words, data *askResult, found oid4vp.Status) {
	data.State = string(found.State)
	if found.NeedsCode {
		data.State = "code"
	}
	if found.Outcome == nil || len(found.Outcome.Credentials) == 0 {
		return
	}
	data.Answered, data.Unbound = true, !found.Outcome.BrowserBound
	// What decides is shown: the presentation that is as good as the whole, else the first.
	shown := found.Outcome.Credentials[0].Result
	for _, c := range found.Outcome.Credentials {
		if c.Result.Verdict == found.Outcome.Verdict {
			shown = c.Result
			break
		}
	}
	if shown.Verdict == verifier.Valid && found.Outcome.Verdict != verifier.Valid {
		shown.Verdict = found.Outcome.Verdict // one good credential does not make a good answer
	}
	data.Verdict = verdict.New(w, shown)
	data.Verdict.Place = w.Text("verdict.place.server")
	data.Title = data.Verdict.Heading
}
