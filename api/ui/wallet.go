package ui

import (
	"html/template"
	"net/http"
	"net/url"

	"heartmark/api/ui/verdict"
	"heartmark/api/ui/words"
	"heartmark/issuer/oid4vci"
)

type offerPage struct {
	page
	Issuer, Until string
	Credentials   []string
	Picture       string
	Link          template.URL
	NeedsCode     bool
}

// Offer answers the page of a credential offer: its QR code and a link that opens a wallet on this device. picture is the
// address of the code.
func (p *Pages) Offer(w http.ResponseWriter, r *http.Request, card oid4vci.OfferCard, picture string) error {
	texts := p.begin(w, r)
	return p.render(w, texts.Lang, "offer", "base", http.StatusOK, offerPage{
		page: p.page(texts, "offer", ""), Issuer: words.Clip(card.Issuer[texts.Lang], verdict.LongestID), Until: texts.Instant(card.ExpiresAt),
		Credentials: names(texts, card.Credentials), Picture: picture, NeedsCode: card.NeedsCode,
		Link: template.URL(card.URI), //nolint:gosec // G203: built by the offer's own code; its scheme is that of wallets
	})
}

// Authorize is a request of a wallet that waits for its holder.
type Authorize struct {
	oid4vci.AuthorizationPage
	// Tenant and RequestURI name the request; Path is where the page stands.
	Tenant, RequestURI, Path string
	// Wrong tells that the transaction code was not the right one.
	Wrong bool
}

type authorizePage struct {
	page
	Issuer                       string
	Credentials                  []string
	Client, ReturnTo, RequestURI string
	Action, LoginLink            string
	Attested, Login, Wrong       bool
	OtherAccount                 bool
}

// Authorize answers the page on which the holder of an offer lets a wallet take it.
func (p *Pages) Authorize(w http.ResponseWriter, r *http.Request, a Authorize) error {
	texts := p.begin(w, r)
	query := url.Values{"client_id": {a.Client}, "request_uri": {a.RequestURI}}.Encode()
	data := authorizePage{
		page: p.page(texts, "authorize", ""), Issuer: words.Clip(a.Issuer[texts.Lang], verdict.LongestID), Credentials: names(texts, a.Credentials),
		Client: words.Clip(a.Client, verdict.LongestID), ReturnTo: words.Clip(a.ReturnTo, verdict.LongestID), RequestURI: a.RequestURI, Action: a.Path,
		LoginLink: a.Path + "/login?" + query, Attested: a.Attested, Login: a.Login, Wrong: a.Wrong,
	}
	data.LangLink = a.Path + "?" + query + "&lang=" + data.OtherLang
	status := http.StatusOK
	if a.Wrong {
		status = http.StatusForbidden
	}
	return p.render(w, texts.Lang, "authorize", "base", status, data)
}

// OtherAccount answers a sign-in with an account that the offer is not for.
func (p *Pages) OtherAccount(w http.ResponseWriter, r *http.Request) error {
	texts := p.begin(w, r)
	return p.render(w, texts.Lang, "authorize", "base", http.StatusForbidden, authorizePage{page: p.page(texts, "authorize", ""), OtherAccount: true})
}

// names picks the reader's language.
func names(w words.Words, in []map[string]string) []string {
	out := make([]string, 0, len(in))
	for _, one := range in {
		out = append(out, words.Clip(one[w.Lang], verdict.LongestID))
	}
	return out
}
