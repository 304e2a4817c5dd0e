package presentationapi

import (
	"time"

	"heartmark/verifier/oid4vp"
)

// PresentationRequest is the body of POST /v1/presentations/requests.
type PresentationRequest struct {
	// DCQLQuery or Template says what is asked for.
	DCQLQuery map[string]any        `json:"dcql_query,omitempty"`
	Template  *PresentationTemplate `json:"template,omitempty"`
	Flow      string                `json:"flow"`
	Policy    string                `json:"policy,omitempty"`
	// ResponseMode is direct_post.jwt or direct_post, dc_api.jwt or dc_api with the flow dc_api; absent means encrypted.
	ResponseMode        string           `json:"response_mode,omitempty"`
	ClientIDPrefix      string           `json:"client_id_prefix,omitempty"`
	Nonce               string           `json:"nonce,omitempty"`
	TransactionData     []map[string]any `json:"transaction_data,omitempty"`
	RedirectURITemplate string           `json:"redirect_uri_template,omitempty"`
	ExpectedOrigins     []string         `json:"expected_origins,omitempty"`
}

// PresentationTemplate asks for at least a level in a dimension, on the word of a recognised issuer.
type PresentationTemplate struct {
	Dimension  string `json:"dimension"`
	Level      int    `json:"level"`
	MaxAgeDays int    `json:"max_age_days,omitempty"`
}

// PresentationCreated is the answer, 201.
type PresentationCreated struct {
	// TransactionID reads the result. It must not reach the wallet.
	TransactionID    string `json:"transaction_id"`
	ClientID         string `json:"client_id"`
	RequestURI       string `json:"request_uri,omitempty"`
	RequestURIMethod string `json:"request_uri_method,omitempty"`
	WalletURL        string `json:"wallet_url,omitempty"`
	// DigitalRequests go into navigator.credentials.get({digital: {requests}}).
	DigitalRequests []DigitalRequest `json:"digital_requests,omitempty"`
	ExpiresAt       time.Time        `json:"expires_at"`
}

// DigitalRequest is one request for the Digital Credentials API.
type DigitalRequest = oid4vp.BrowserRequest

// PresentationStatus is the answer of GET /v1/presentations/requests/{transaction_id}.
type PresentationStatus struct {
	State     string    `json:"state"`
	Flow      string    `json:"flow"`
	ExpiresAt time.Time `json:"expires_at"`
	// Error is the wallet's code, where it declined.
	Error string `json:"error,omitempty"`
	// ResponseCodeRequired says that a result waits for who brings the response code.
	ResponseCodeRequired bool `json:"response_code_required,omitempty"`
	// Result is there once.
	Result *PresentationResult `json:"result,omitempty"`
}

// PresentationResult is what came of a session.
type PresentationResult = oid4vp.Outcome

// PresentedCredential is one presentation and what was found.
type PresentedCredential = oid4vp.Presented

// BrowserAnswer is the body of POST /v1/presentations/requests/{transaction_id}/dc-api: what navigator.credentials.get gave.
type BrowserAnswer struct {
	Protocol string         `json:"protocol,omitempty"`
	Origin   string         `json:"origin"`
	Data     map[string]any `json:"data"`
}
