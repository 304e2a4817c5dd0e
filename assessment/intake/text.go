package intake

import (
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"fmt"

	"heartmark/schemas"
)

//go:embed texts/*.md
var texts embed.FS

// TextVersion is the version of the consent text that new receipts name.
const TextVersion = "2026-11"

// TextRef names a consent text that a person read.
type TextRef struct {
	Version  string `json:"version"`
	Language string `json:"language"` // en or zh
	Digest   string `json:"digest"`   // "sha256:" and hex
}

// Text is a consent text as it is shown.
type Text struct {
	TextRef
	Markdown string
}

// textDigests pins every text that was ever shown: a receipt names one of these, and a changed file does not load.
func textDigests() map[TextRef]bool {
	return map[TextRef]bool{
		{TextVersion, schemas.LanguageEnglish, "sha256:c7d79d5ffc3807f082108a0e89fe7a510830befbd069d7fd67a3df465c22564c"}: true,
		{TextVersion, schemas.LanguageChinese, "sha256:0f390f08288293fbf45c52d2e5ea727aa14eb4a86127df1e57e6514f35716ee3"}: true,
	}
}

// Texts returns the current consent text in every language.
func Texts() ([]Text, error) {
	out := make([]Text, 0, len(schemas.Languages()))
	for _, lang := range schemas.Languages() {
		data, err := texts.ReadFile("texts/consent-" + TextVersion + "." + lang + ".md")
		if err != nil {
			return nil, fmt.Errorf("consent text: %w", err)
		}
		sum := sha256.Sum256(data)
		ref := TextRef{Version: TextVersion, Language: lang, Digest: "sha256:" + hex.EncodeToString(sum[:])}
		if !textDigests()[ref] {
			return nil, fmt.Errorf("consent text %s %s has digest %s, which is not the pinned one: %w", ref.Version, lang, ref.Digest, ErrConsentText)
		}
		out = append(out, Text{TextRef: ref, Markdown: string(data)})
	}
	return out, nil
}
