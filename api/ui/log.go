package ui

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"net/http"
	"strconv"
	"strings"

	"heartmark/api/problem"
	"heartmark/api/ui/verdict"
	"heartmark/api/ui/words"
	"heartmark/schemas"
)

// logPageSize is how many entries the page of the log lists.
const logPageSize = 50

type logPage struct {
	page
	Log          LogOverview
	Entries      []entryLine
	Older, Newer string // addresses, empty at the ends
}

type entryLine struct {
	Index                   string
	KindWord, Subject, When string
}

type entryPage struct {
	page
	entryLine
	Digest, JSON string
	// Leaf is the entry's bytes in base64, Hash the leaf's hash in the tree; Proof the inclusion proof as JSON, Keys the log's
	// keys, separated by spaces: what the check in the browser takes.
	Leaf, Hash, Proof, Keys string
	Hashes                  []string
	Checkpoint              string
	TreeSize                uint64
	Previous, Next          string
	InBrowser               bool
}

// Log answers the page of the log, or leads to an entry that was asked for.
func (p *Pages) Log(w http.ResponseWriter, r *http.Request) error {
	query := r.URL.Query()
	if at := strings.TrimSpace(query.Get("index")); at != "" {
		index, err := entryIndex(at)
		if err != nil {
			return err
		}
		http.Redirect(w, r, "/registry/log/"+strconv.FormatUint(index, 10), http.StatusSeeOther)
		return nil
	}
	texts := p.begin(w, r)
	state, err := p.c.Registry.LogState(r.Context())
	if err != nil {
		return err
	}
	data := logPage{page: p.page(texts, "log", "registry"), Log: state}
	if state.Size > 0 {
		if err := p.listEntries(r, texts, &data, query.Get("from")); err != nil {
			return err
		}
	}
	return p.render(w, texts.Lang, "log", "base", http.StatusOK, data)
}

// listEntries lists entries from the newest asked for down.
func (p *Pages) listEntries(r *http.Request, texts words.Words, data *logPage, from string) error {
	newest := data.Log.Size - 1
	if from != "" {
		asked, err := entryIndex(from)
		if err != nil {
			return err
		}
		newest = min(newest, asked)
	}
	first := newest + 1 - min(newest+1, logPageSize)
	entries, err := p.c.Registry.LogEntries(r.Context(), first, int(newest-first)+1)
	if err != nil {
		return fmt.Errorf("log page: %w", err)
	}
	for i := len(entries) - 1; i >= 0; i-- {
		data.Entries = append(data.Entries, line(texts, first+uint64(i), entries[i]))
	}
	if first > 0 {
		data.Older = "/registry/log?from=" + strconv.FormatUint(first-1, 10)
	}
	if newest+1 < data.Log.Size {
		data.Newer = "/registry/log?from=" + strconv.FormatUint(newest+logPageSize, 10)
	}
	return nil
}

func entryIndex(text string) (uint64, error) {
	n, err := strconv.ParseUint(text, 10, 63)
	if err != nil {
		return 0, fmt.Errorf("index of a log entry: %w", problem.ErrNotFound)
	}
	return n, nil
}

// line puts an entry into words. What cannot be read is shown as another kind; the bytes stand on its page.
func line(w words.Words, index uint64, entry []byte) entryLine {
	var e schemas.LogEntry
	if json.Unmarshal(entry, &e) != nil {
		e = schemas.LogEntry{}
	}
	l := entryLine{
		Index: strconv.FormatUint(index, 10), KindWord: w.Or("entry.kind."+e.Kind, "entry.kind.other"), Subject: words.Clip(e.Subject, verdict.LongestID),
	}
	if at, err := schemas.ParseTime(e.At); err == nil {
		l.When = w.Instant(at)
	}
	return l
}

// Entry answers the page of one entry with its inclusion proof.
func (p *Pages) Entry(w http.ResponseWriter, r *http.Request, at string) error {
	texts := p.begin(w, r)
	index, err := entryIndex(at)
	if err != nil {
		return err
	}
	state, err := p.c.Registry.LogState(r.Context())
	if err != nil {
		return err
	}
	if index >= state.Size {
		return fmt.Errorf("log entry %d of %d: %w", index, state.Size, problem.ErrNotFound)
	}
	entries, err := p.c.Registry.LogEntries(r.Context(), index, 1)
	if err != nil {
		return fmt.Errorf("log entry %d: %w", index, err)
	}
	if len(entries) == 0 {
		return fmt.Errorf("log entry %d cannot be read: %w", index, problem.ErrUnavailable)
	}
	proof, err := p.c.Registry.LogProof(r.Context(), index)
	if err != nil {
		return fmt.Errorf("log entry %d: %w", index, err)
	}
	encoded, err := schemas.Marshal(proof)
	if err != nil {
		return fmt.Errorf("log entry %d: %w", index, err)
	}
	leaf := entries[0]
	hash := sha256.Sum256(append([]byte{0}, leaf...)) // RFC 6962, 2.1: a leaf is hashed behind a zero byte
	data := entryPage{
		page: p.page(texts, "entry", "registry"), entryLine: line(texts, index, leaf), JSON: pretty(leaf),
		Leaf: base64.StdEncoding.EncodeToString(leaf), Hash: base64.StdEncoding.EncodeToString(hash[:]), Proof: string(encoded),
		Keys: strings.Join(state.Keys, " "), Hashes: proof.Proof, Checkpoint: strings.TrimSpace(proof.Checkpoint), TreeSize: proof.TreeSize,
		InBrowser: p.InBrowser(),
	}
	if index > 0 {
		data.Previous = strconv.FormatUint(index-1, 10)
	}
	if index+1 < state.Size {
		data.Next = strconv.FormatUint(index+1, 10)
	}
	return p.render(w, texts.Lang, "entry", "base", http.StatusOK, data)
}

// pretty indents JSON; anything else stands as it is.
func pretty(data []byte) string {
	var buf bytes.Buffer
	if json.Indent(&buf, data, "", "  ") != nil {
		return words.ClipLines(string(data), 20_000)
	}
	return words.ClipLines(buf.String(), 20_000)
}
