package issuerapi

import (
	"encoding/json"
	"time"

	"heartmark/issuer"
	"heartmark/schemas"
)

// CredentialRequest is the body of POST /v1/credentials.
type CredentialRequest struct {
	Configuration string   `json:"configuration"`
	Report        string   `json:"report"`
	Subject       Subject  `json:"subject"`
	Language      string   `json:"language,omitempty"`
	Audience      []string `json:"audience,omitempty"`
	NoSources     bool     `json:"no_sources,omitempty"`
}

// Subject names the holder by DID.
type Subject struct {
	ID string `json:"id"`
}

// CredentialAnswer answers POST /v1/credentials and GET /v1/credentials/{id}.
type CredentialAnswer struct {
	ID            string           `json:"id"`
	Configuration string           `json:"configuration"`
	Status        string           `json:"status"`
	IssuedAt      string           `json:"issued_at"`
	ValidFrom     string           `json:"valid_from"`
	ValidUntil    string           `json:"valid_until"`
	Credentials   []FormCredential `json:"credentials,omitempty"`
	Log           LogState         `json:"log"`
}

// FormCredential is the credential in one form: an object, or a text that holds a token.
type FormCredential struct {
	Format     string          `json:"format"`
	Credential json.RawMessage `json:"credential"`
}

// LogState is the proof that the commitment stands in the log, or the word that it is on its way.
type LogState struct {
	*schemas.LogProof
	State string `json:"state,omitempty"`
}

// StatusRequest is the body of POST /v1/credentials/{id}/status.
type StatusRequest struct {
	// Status is active, suspended or revoked.
	Status string `json:"status"`
	Reason string `json:"reason,omitempty"`
}

// StatusAnswer answers it.
type StatusAnswer struct {
	ID       string `json:"id"`
	Status   string `json:"status"`
	StatusAt string `json:"status_at"`
}

// CredentialPage is one page of GET /v1/credentials.
type CredentialPage struct {
	Items []CredentialAnswer `json:"items"`
	Next  string             `json:"next,omitempty"`
}

// OfferRequest is the body of POST /v1/offers.
type OfferRequest struct {
	// Configuration and Configurations are what is offered; one of them, or both together.
	Configuration  string   `json:"configuration,omitempty"`
	Configurations []string `json:"configurations,omitempty"`
	Report         string   `json:"report"`
	Language       string   `json:"language,omitempty"`
	// Grants are the grant types of the offer; the pre-authorised code where there are none.
	Grants []string `json:"grants,omitempty"`
	// Hold keeps the credential back until it is released.
	Hold bool `json:"hold,omitempty"`
	// Account is the subject at the external login provider who alone may take it by authorisation code.
	Account string `json:"account,omitempty"`
}

// OfferAnswer answers POST /v1/offers. tx_code goes to the holder by another channel than the rest.
type OfferAnswer struct {
	ID        string          `json:"id"`
	URI       string          `json:"uri"`
	ValueURI  string          `json:"value_uri"`
	Address   string          `json:"address"`
	Page      string          `json:"page"`
	QRPNG     string          `json:"qr_png"`
	QRSVG     string          `json:"qr_svg"`
	Offer     json.RawMessage `json:"offer"`
	TxCode    string          `json:"tx_code,omitempty"`
	ExpiresAt string          `json:"expires_at"`
}

// OfferState answers GET /v1/offers/{id}.
type OfferState struct {
	ID             string   `json:"id"`
	Configuration  string   `json:"configuration"`
	Configurations []string `json:"configurations"`
	Report         string   `json:"report"`
	State          string   `json:"state"`
	Release        string   `json:"release,omitempty"`
	Waiting        bool     `json:"waiting"`
	CreatedAt      string   `json:"created_at"`
	ExpiresAt      string   `json:"expires_at"`
	WrongTries     int      `json:"wrong_tries"`
	Credentials    []string `json:"credentials,omitempty"`
	Event          string   `json:"event,omitempty"`
}

// ReleaseRequest is the body of POST /v1/offers/{id}/release.
type ReleaseRequest struct {
	// Decision is released or refused.
	Decision string `json:"decision"`
	// Reason is needed to refuse. It goes to the audit trail and not to the wallet.
	Reason string `json:"reason,omitempty"`
}

// ConfigurationAnswer is one item of GET /v1/configurations. Format and Cryptosuite are those of the first form.
type ConfigurationAnswer struct {
	ID            string          `json:"id"`
	Achievement   string          `json:"achievement"`
	Format        string          `json:"format"`
	Cryptosuite   string          `json:"cryptosuite"`
	Forms         []issuer.Form   `json:"forms"`
	ValidityHours int             `json:"validity_hours"`
	Review        string          `json:"review"`
	Suspendable   bool            `json:"suspendable"`
	Display       []DisplayAnswer `json:"display"`
}

// DisplayAnswer is what people read of a configuration in one language.
type DisplayAnswer struct {
	Locale      string `json:"locale"`
	Name        string `json:"name"`
	Description string `json:"description,omitempty"`
}

// ConfigurationPage answers GET /v1/configurations.
type ConfigurationPage struct {
	Items []ConfigurationAnswer `json:"items"`
}

// NonceAnswer answers the nonce endpoint (OpenID4VCI 1.0, 7.2).
type NonceAnswer struct {
	CNonce string `json:"c_nonce"`
}

// AttestationChallenge answers the challenge endpoint (attestation-based client authentication).
type AttestationChallenge struct {
	Challenge string `json:"attestation_challenge"`
}

// instant writes a time, and nothing for none.
func instant(t time.Time) string {
	if t.IsZero() {
		return ""
	}
	return schemas.FormatTime(t)
}
