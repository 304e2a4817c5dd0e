package assessment

import (
	"embed"
	"fmt"
	"io/fs"
	"slices"
	"sort"

	"heartmark/schemas"
)

//go:embed prompts/*.json
var promptFiles embed.FS

// Prompt is one line that an npc of an assessment scene says. It is the same for everyone.
type Prompt struct {
	ID         string            `json:"id"`
	Dimension  schemas.Dimension `json:"dimension"`
	Gate       string            `json:"gate"`       // the situation it makes
	Difficulty int               `json:"difficulty"` // 1 plain to 3 subtle
	Language   string            `json:"language"`
	Text       string            `json:"text"`

	gate gate
}

// promptFile is one file of the bank.
type promptFile struct {
	Bank     string   `json:"bank"`
	Version  string   `json:"version"`
	Language string   `json:"language"`
	Prompts  []Prompt `json:"prompts"`
}

// PromptBank is the published bank: a prompt is known by its id.
type PromptBank struct {
	byID map[string]Prompt
}

// Prompts reads the embedded bank.
func Prompts() (PromptBank, error) { return ReadPrompts(promptFiles) }

// ReadPrompts reads the prompts/*.json of a file system. Ids are unique over all files.
func ReadPrompts(files fs.FS) (PromptBank, error) {
	bank := PromptBank{byID: map[string]Prompt{}}
	names, err := fs.Glob(files, "prompts/*.json")
	if err != nil {
		return bank, fmt.Errorf("prompt bank: %w", err)
	}
	gates := gateNames()
	for _, name := range names {
		data, err := fs.ReadFile(files, name)
		if err != nil {
			return bank, fmt.Errorf("prompt bank: %w", err)
		}
		var f promptFile
		if err := schemas.Decode(data, &f); err != nil {
			return bank, fmt.Errorf("prompt bank %s: %w", name, err)
		}
		for _, p := range f.Prompts {
			g := slices.Index(gates[:], p.Gate)
			if g < 0 || dimensionIndex(p.Dimension) < 0 || p.ID == "" || p.Text == "" {
				return bank, fmt.Errorf("prompt bank %s: prompt %q: %w", name, p.ID, schemas.ErrMalformed)
			}
			if _, twice := bank.byID[p.ID]; twice {
				return bank, fmt.Errorf("prompt bank %s: prompt %q stands twice: %w", name, p.ID, schemas.ErrMalformed)
			}
			p.gate, p.Language = gate(g), f.Language
			bank.byID[p.ID] = p
		}
	}
	return bank, nil
}

// All returns the prompts of a language, or all for "", by id.
func (b PromptBank) All(lang string) []Prompt {
	out := make([]Prompt, 0, len(b.byID))
	for _, p := range b.byID {
		if lang == "" || p.Language == lang {
			out = append(out, p)
		}
	}
	sort.Slice(out, func(i, j int) bool { return out[i].ID < out[j].ID })
	return out
}
