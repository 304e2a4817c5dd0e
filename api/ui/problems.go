package ui

import (
	"fmt"
	"net/http"
	"slices"
	"strings"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/api/ui/verdict"
	"heartmark/api/ui/words"
	"heartmark/verifier"
)

type problemPage struct {
	page
	Code, Detail, Action, Type string
}

type problemLine struct {
	Code, Title string
	Status      int
}

type problemsPage struct {
	page
	Problems []problemLine
}

type errorPage struct {
	page
	Status                   int
	Detail, Action, Instance string
}

// findings returns the codes of the verifier that stand in answers as problems of ours, in the form of their addresses.
func findings() []verifier.CodeInfo {
	return slices.DeleteFunc(verifier.Codes(), func(c verifier.CodeInfo) bool { return c.Type == "" })
}

func kebab(code string) string { return strings.ReplaceAll(code, "_", "-") }

// Problems answers the catalogue.
func (p *Pages) Problems(w http.ResponseWriter, r *http.Request) error {
	texts := p.begin(w, r)
	data := problemsPage{page: p.page(texts, "problems", "problems")}
	for _, code := range p.c.Problems.Codes() {
		text, _ := p.c.Problems.Text(texts.Lang, code)
		data.Problems = append(data.Problems, problemLine{Code: code, Title: text.Title, Status: p.c.Problems.Status(code)})
	}
	for _, f := range findings() {
		data.Problems = append(data.Problems, problemLine{Code: kebab(f.Code), Title: finding(texts, f)})
	}
	return p.render(w, texts.Lang, "problems", "base", http.StatusOK, data)
}

// finding is what a code of the verifier means.
func finding(w words.Words, f verifier.CodeInfo) string {
	return verdict.CheckText(w, verifier.Check{ID: f.Check, Outcome: f.Outcome, Code: f.Code})
}

// Problem answers the page of one problem type.
func (p *Pages) Problem(w http.ResponseWriter, r *http.Request, code string) error {
	texts := p.begin(w, r)
	data := problemPage{page: p.page(texts, "problems", "problems"), Code: code}
	if text, ok := p.c.Problems.Text(texts.Lang, code); ok {
		data.Title, data.Detail, data.Action, data.Type = text.Title, text.Detail, text.Action, p.c.Problems.Type(code)
		return p.render(w, texts.Lang, "problem", "base", http.StatusOK, data)
	}
	for _, f := range findings() {
		if kebab(f.Code) != code {
			continue
		}
		data.Title, data.Action, data.Type = finding(texts, f), texts.Text("problem.check.action"), f.Type
		data.Detail = strings.NewReplacer("{check}", texts.Or("check."+string(f.Check), "check.other"),
			"{outcome}", texts.Text("outcome."+string(f.Outcome))).Replace(texts.Text("problem.finding"))
		if f.Type == "own" {
			data.Type = p.c.Origin + "/problems/" + code
		}
		return p.render(w, texts.Lang, "problem", "base", http.StatusOK, data)
	}
	return fmt.Errorf("problem %q: %w", code, problem.ErrNotFound)
}

// Error answers err as a page; it is for routes that people open. It returns the status it sent.
func (p *Pages) Error(w http.ResponseWriter, r *http.Request, err error, requestID string) int {
	texts := p.words[edge.Language(r)]
	status := p.c.Problems.Headers(w, err)
	if r.Header.Get(partHeader) == "verdict" {
		if p.render(w, texts.Lang, "verify", "result", status, verifyPage{Answer: verdict.Answer{Fault: p.fault(texts, err)}}) == nil {
			return status
		}
	}
	d := p.c.Problems.Document(err, texts.Lang, "")
	text, _ := p.c.Problems.Text(texts.Lang, d.Code)
	data := errorPage{
		page: p.page(texts, "error", ""), Status: d.Status, Detail: text.Detail, Action: text.Action, Instance: requestID,
	}
	data.Title = text.Title
	if p.render(w, texts.Lang, "error", "base", status, data) != nil {
		http.Error(w, d.Title, http.StatusInternalServerError)
		return http.StatusInternalServerError
	}
	return status
}
