package edge

import (
	"net/http"

	"heartmark/schemas"

	"golang.org/x/text/language"
)

// LanguageCookie keeps the language that a person chose on a page.
const LanguageCookie = "heartmark_lang"

// Language returns the language that the caller reads: "en" or "zh". ?lang= comes first, then the cookie, then
// Accept-Language.
func Language(r *http.Request) string {
	if q := r.URL.Query().Get("lang"); q != "" {
		if lang, ok := schemas.ParseLanguage(q); ok {
			return lang
		}
	}
	if cookie, err := r.Cookie(LanguageCookie); err == nil && cookie.Value != "" {
		if lang, ok := schemas.ParseLanguage(cookie.Value); ok {
			return lang
		}
	}
	return accepted(r.Header.Get("Accept-Language"))
}

// accepted picks by Accept-Language (RFC 9110, 12.5.4); English where nothing fits.
func accepted(header string) string {
	const longest = 256 // parsing is linear, the header is a stranger's
	if len(header) > longest {
		header = header[:longest]
	}
	tags, _, err := language.ParseAcceptLanguage(header)
	if err != nil {
		return schemas.LanguageEnglish
	}
	for _, tag := range tags {
		base, confidence := tag.Base()
		if confidence == language.No {
			continue
		}
		if lang, ok := schemas.ParseLanguage(base.String()); ok {
			return lang
		}
	}
	return schemas.LanguageEnglish
}
