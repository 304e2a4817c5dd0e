//go:build js

// Command heartmark-wasm is the verifier for a browser, as WebAssembly: `make wasm` builds it into the program that serves
// the pages, and static/checker.js runs it in a worker. It sets one global object, heartmark:
//
//	load(snapshot Uint8Array, trusted string[], lang string)  → {} or {error}
//	check(data Uint8Array, stale boolean)                     → {html, verdict, heading, millis} or {error}
//	included(leaf Uint8Array, proof Uint8Array, keys string[]) → {} or {error}
package main

import (
	"context"
	"errors"
	"syscall/js"
	"time"

	"heartmark/api/ui/browser"
)

// maxInput bounds what is copied out of the page: a snapshot is the largest.
const maxInput = 256 << 20

var errInput = errors.New("missing or oversized input")

// checkers holds one checker a language; the worker is single-threaded.
type checkers struct{ current *browser.Checker }

func main() {
	c := &checkers{}
	api := js.Global().Get("Object").New()
	api.Set("load", function(c.load))
	api.Set("check", function(c.check))
	api.Set("included", function(included))
	js.Global().Set("heartmark", api)
	select {} // the functions live as long as the worker
}

// function gives f to the page; an error becomes {error: text}. A panic ends the worker, and the page says so.
func function(f func(args []js.Value) (map[string]any, error)) js.Func {
	return js.FuncOf(func(_ js.Value, args []js.Value) any {
		out, err := f(args)
		if err != nil {
			return map[string]any{"error": err.Error()}
		}
		return out
	})
}

func (c *checkers) load(args []js.Value) (map[string]any, error) {
	snapshot, err := octets(args, 0)
	if err != nil {
		return nil, err
	}
	if len(args) < 3 {
		return nil, errInput
	}
	checker, err := browser.New(args[2].String(), func() time.Time { return time.Now().UTC() })
	if err != nil {
		return nil, err
	}
	if err := checker.Load(snapshot, texts(args[1])); err != nil {
		return nil, err
	}
	c.current = checker
	return map[string]any{}, nil
}

func (c *checkers) check(args []js.Value) (map[string]any, error) {
	data, err := octets(args, 0)
	if err != nil {
		return nil, err
	}
	if c.current == nil {
		return nil, browser.ErrNotLoaded
	}
	answer, err := c.current.Check(context.Background(), data, len(args) > 1 && args[1].Truthy())
	if err != nil {
		return nil, err
	}
	return map[string]any{"html": answer.HTML, "verdict": answer.Verdict, "heading": answer.Heading, "millis": answer.Millis}, nil
}

func included(args []js.Value) (map[string]any, error) {
	leaf, err := octets(args, 0)
	if err != nil {
		return nil, err
	}
	proof, err := octets(args, 1)
	if err != nil {
		return nil, err
	}
	if len(args) < 3 {
		return nil, errInput
	}
	if err := browser.Included(leaf, proof, texts(args[2])...); err != nil {
		return nil, err
	}
	return map[string]any{}, nil
}

func octets(args []js.Value, n int) ([]byte, error) {
	if n >= len(args) || !args[n].InstanceOf(js.Global().Get("Uint8Array")) || args[n].Length() > maxInput {
		return nil, errInput
	}
	out := make([]byte, args[n].Length())
	js.CopyBytesToGo(out, args[n])
	return out, nil
}

func texts(v js.Value) []string {
	out := make([]string, v.Length())
	for i := range out {
		out[i] = v.Index(i).String()
	}
	return out
}
