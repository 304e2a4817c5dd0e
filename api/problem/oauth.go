package problem

import (
	"errors"
	"net/http"
	"strings"

	"heartmark/issuer/oid4vci"
	"heartmark/verifier/oid4vp"
)

// oauthBody is the JSON of an OAuth error (RFC 6749, 5.2).
type oauthBody struct {
	Error       string `json:"error"`
	Description string `json:"error_description,omitempty"`
}

// WriteOAuth answers err in the OAuth dialect and returns the status it sent. An *oid4vci.Error brings its code; whatever
// else reaches a wallet-facing route gets it from the table. A fault of the access token is a 401 with the challenge of
// RFC 6750.
func (c *Catalog) WriteOAuth(w http.ResponseWriter, err error) int {
	body, status := c.oauth(err)
	c.headers(w, err, status)
	if known, ok := errors.AsType[*oid4vci.Error](err); ok {
		for name, value := range map[string]string{
			"WWW-Authenticate": known.Challenge, "DPoP-Nonce": known.DPoPNonce, "OAuth-Client-Attestation-Challenge": known.AttestationChallenge,
		} {
			if value != "" {
				w.Header().Set(name, value)
			}
		}
	}
	w.Header().Set("Pragma", "no-cache")
	writeJSON(w, "application/json", status, body)
	return status
}

func (c *Catalog) oauth(err error) (oauthBody, int) {
	if known, ok := errors.AsType[*oid4vci.Error](err); ok {
		return oauthBody{Error: known.Code, Description: printable(known.Description)}, known.Status
	}
	if known, ok := errors.AsType[*oid4vp.Error](err); ok {
		return oauthBody{Error: known.Code, Description: printable(known.Description)}, known.Status
	}
	e := c.Lookup(err)
	code := e.OAuth
	switch {
	case code != "":
	case e.Status >= http.StatusInternalServerError:
		code = "server_error"
	default:
		code = "invalid_request"
	}
	description := c.words("en").Problems[e.Code].Title
	if e.Status < http.StatusInternalServerError {
		if faults := fieldErrors(err, nil); len(faults) > 0 {
			description = faults[0].Pointer
			if faults[0].Expected != "" {
				description += ": expected " + faults[0].Expected
			}
		}
	}
	return oauthBody{Error: code, Description: printable(description)}, e.Status
}

// printable keeps what an error_description may hold: printable ASCII without the quote and the backslash (OpenID4VCI
// 1.0, 8.3.1.2).
func printable(s string) string {
	const longest = 300
	out := strings.Map(func(r rune) rune {
		switch {
		case r == '"':
			return '\''
		case r < ' ' || r > '~' || r == '\\':
			return -1
		}
		return r
	}, s)
	return strings.TrimSpace(out[:min(len(out), longest)])
}
