package ui

import (
	"bytes"
	"errors"
	"fmt"
	"io"
	"mime/multipart"
	"net/http"
	"strings"

	"heartmark/api/edge"
	"heartmark/api/problem"
	"heartmark/api/ui/verdict"
	"heartmark/api/ui/words"
	"heartmark/schemas"
	"heartmark/verifier"
)

type verifyPage struct {
	page
	verdict.Answer
	Input string
	// Trust holds the keys that the registry's snapshot is checked with on the visitor's device, separated by spaces; empty
	// where the check is made by the server alone.
	Trust string
}

// partHeader asks for the verdict alone, without the page around it. A custom header makes a foreign page's script ask
// first, and it is refused.
const partHeader = "X-Heartmark-Part"

// VerifyForm answers the empty verify page.
func (p *Pages) VerifyForm(w http.ResponseWriter, r *http.Request) error {
	texts := p.begin(w, r)
	data, err := p.verifyPage(r, texts)
	if err != nil {
		return err
	}
	return p.render(w, texts.Lang, "verify", "base", http.StatusOK, data)
}

func (p *Pages) verifyPage(r *http.Request, texts words.Words) (verifyPage, error) {
	data := verifyPage{page: p.page(texts, "verify", "verify")}
	if !p.InBrowser() {
		return data, nil
	}
	keys, err := p.c.Registry.SnapshotKeys(r.Context())
	if err != nil {
		return data, fmt.Errorf("verify page: %w", err)
	}
	data.Trust = strings.Join(keys, " ")
	return data, nil
}

// VerifyPost checks what was pasted or uploaded and answers the page with the verdict.
func (p *Pages) VerifyPost(w http.ResponseWriter, r *http.Request) error {
	texts := p.begin(w, r)
	data, err := p.verifyPage(r, texts)
	if err != nil {
		return err
	}
	text, file, err := readForm(r)
	if err != nil {
		return err
	}
	input := file
	if len(bytes.TrimSpace(input)) == 0 {
		input, data.Input = text, string(text)
	}
	status := http.StatusOK
	if input = bytes.TrimSpace(input); len(input) == 0 {
		status = http.StatusBadRequest
		data.Fault = &verdict.Fault{
			Title: texts.Text("verify.empty"), Detail: texts.Text("verify.empty.detail"), Action: texts.Text("verify.empty.action"),
		}
	} else if result, err := p.c.Verifier.Verify(r.Context(), verifier.Input{Data: input}); err != nil {
		if status = p.c.Problems.Lookup(err).Status; status >= http.StatusInternalServerError {
			return fmt.Errorf("verify page: %w", err)
		}
		data.Fault = p.fault(texts, err)
	} else {
		data.Verdict = verdict.New(texts, result)
		data.Verdict.Place, data.Title = texts.Text("verdict.place.server"), data.Verdict.Heading
	}
	w.Header().Set("Cache-Control", "no-store")
	if r.Header.Get(partHeader) == "verdict" {
		return p.render(w, texts.Lang, "verify", "result", status, data)
	}
	return p.render(w, texts.Lang, "verify", "base", status, data)
}

// fault puts an error into words.
func (p *Pages) fault(texts words.Words, err error) *verdict.Fault {
	d := p.c.Problems.Document(err, texts.Lang, "")
	text, _ := p.c.Problems.Text(texts.Lang, d.Code)
	f := &verdict.Fault{Title: d.Title, Detail: text.Detail, Action: text.Action}
	for _, e := range d.Errors {
		f.Fields = append(f.Fields, verdict.Field{Pointer: words.Clip(e.Pointer, verdict.LongestID), Detail: words.Clip(e.Detail, verdict.LongestID)})
	}
	return f
}

// readForm reads the fields text and file of the form. The router has capped the body; nothing goes to disk.
func readForm(r *http.Request) (text, file []byte, err error) {
	mediaType, err := edge.MediaType(r)
	if err != nil {
		return nil, nil, err
	}
	if mediaType == "application/x-www-form-urlencoded" {
		form, err := edge.ReadForm(r)
		return []byte(form.Get("text")), nil, err
	}
	if mediaType != "multipart/form-data" {
		return nil, nil, fmt.Errorf("content type %q: %w", mediaType, problem.ErrMediaType)
	}
	reader, err := r.MultipartReader()
	if err != nil {
		return nil, nil, fmt.Errorf("form: %w: %w", schemas.ErrMalformed, err)
	}
	const maxParts = 8
	for range maxParts {
		part, err := reader.NextPart()
		if errors.Is(err, io.EOF) {
			return text, file, nil
		}
		if err != nil {
			return nil, nil, edge.BodyError(err)
		}
		if err := readPart(part, &text, &file); err != nil {
			return nil, nil, err
		}
	}
	return nil, nil, fmt.Errorf("form with more than %d parts: %w", maxParts, schemas.ErrMalformed)
}

func readPart(part *multipart.Part, text, file *[]byte) error {
	defer func() { _ = part.Close() }()
	body, err := io.ReadAll(part)
	if err != nil {
		return edge.BodyError(err)
	}
	switch part.FormName() {
	case "text":
		*text = body
	case "file":
		*file = body
	}
	return nil
}
