package schemas

import "strings"

// The languages in which a person can read a credential.
const (
	LanguageEnglish = "en"
	LanguageChinese = "zh"
)

// Languages returns the tags of the languages that every text here has.
func Languages() []string { return []string{LanguageEnglish, LanguageChinese} }

// ParseLanguage returns LanguageChinese for any Chinese tag ("zh", "zh-CN"), LanguageEnglish for any English one or
// for none, and false for a language we have no texts in.
func ParseLanguage(tag string) (string, bool) {
	primary, _, _ := strings.Cut(strings.ToLower(tag), "-")
	switch primary {
	case "", LanguageEnglish:
		return LanguageEnglish, true
	case LanguageChinese:
		return LanguageChinese, true
	}
	return "", false
}

// otherLanguage returns the other of the two languages.
func otherLanguage(lang string) string {
	if l, _ := ParseLanguage(lang); l == LanguageChinese {
		return LanguageEnglish
	}
	return LanguageChinese
}

// text is one text in both languages.
type text struct{ en, zh string }

// pick returns the text for lang, and the English one for a language we have no texts in.
func pick(t text, lang string) string {
	if l, _ := ParseLanguage(lang); l == LanguageChinese {
		return t.zh
	}
	return t.en
}
