package registryapi

// ChallengeRequest asks for a challenge for a DID.
type ChallengeRequest struct {
	DID string `json:"did"`
}

// Challenge is what a DID's key signs; it is good once, for this registry and this DID.
type Challenge struct {
	Registry string `json:"registry"`
	DID      string `json:"did"`
	Nonce    string `json:"nonce"`
	Expires  string `json:"expires"`
}

// ChallengeAnswer is a challenge with the very bytes to sign, base64url.
type ChallengeAnswer struct {
	Challenge Challenge `json:"challenge"`
	Message   string    `json:"message"`
}

// ControlRequest answers a challenge: the signature is base64url, by the key of Method.
type ControlRequest struct {
	Challenge Challenge `json:"challenge"`
	Method    string    `json:"method"`
	Signature string    `json:"signature"`
}

// GrantRequest asks for one authority for each resource.
type GrantRequest struct {
	Entity            string         `json:"entity"`
	Name              string         `json:"name,omitempty"`
	Authority         string         `json:"authority,omitempty"`
	Action            string         `json:"action,omitempty"`
	Resources         []string       `json:"resources"`
	Levels            []int          `json:"levels,omitempty"`
	Framework         string         `json:"framework,omitempty"`
	ValidFrom         string         `json:"validFrom,omitempty"`
	ValidUntil        string         `json:"validUntil,omitempty"`
	AcceptSimilarName bool           `json:"acceptSimilarName,omitempty"`
	Control           ControlRequest `json:"control"`
}

// AuthorityStatusRequest changes an authority. Since is for withdrawals alone and may lie in the past.
type AuthorityStatusRequest struct {
	Status string `json:"status"`
	Since  string `json:"since,omitempty"`
	Reason string `json:"reason,omitempty"`
}

// DeactivateRequest suspends all that an entity may do.
type DeactivateRequest struct {
	Reason string `json:"reason,omitempty"`
}

// DeactivateAnswer counts the authorities that were suspended.
type DeactivateAnswer struct {
	Suspended int `json:"suspended"`
}
