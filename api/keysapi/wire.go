package keysapi

// KeyRequest is the body of POST /v1/keys.
type KeyRequest struct {
	Scopes []string `json:"scopes"`
	Name   string   `json:"name,omitempty"`
	// PerSecond is how many requests a second the key may make; 0 is the installation's default.
	PerSecond float64 `json:"per_second,omitempty"`
	ExpiresAt string  `json:"expires_at,omitempty"`
}

// KeyAnswer is a key as it can be read: never the key itself.
type KeyAnswer struct {
	ID        string   `json:"id"`
	Name      string   `json:"name,omitempty"`
	Scopes    []string `json:"scopes"`
	PerSecond float64  `json:"per_second,omitempty"`
	// State is active, expired or revoked.
	State     string `json:"state"`
	CreatedAt string `json:"created_at"`
	ExpiresAt string `json:"expires_at,omitempty"`
	RevokedAt string `json:"revoked_at,omitempty"`
}

// NewKeyAnswer answers POST /v1/keys. The key is shown here and nowhere else.
type NewKeyAnswer struct {
	KeyAnswer
	Key string `json:"key"`
}

// KeyPage answers GET /v1/keys.
type KeyPage struct {
	Items []KeyAnswer `json:"items"`
}
