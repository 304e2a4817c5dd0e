package assessmentapi

import "time"

// ClassifyRequest is the body of POST /v1/classify.
type ClassifyRequest struct {
	// Consent is what the writers agreed to: process and score. The caller vouches for it.
	Consent []string       `json:"consent"`
	Texts   []ClassifyText `json:"texts"`
}

// ClassifyText is one message to label.
type ClassifyText struct {
	ID      string         `json:"id,omitempty"` // comes back with the result
	Text    string         `json:"text"`
	Context []ClassifyTurn `json:"context,omitempty"` // oldest first
	Lang    string         `json:"lang,omitempty"`
}

// ClassifyTurn is one turn before the message.
type ClassifyTurn struct {
	Text string `json:"text"`
	Self bool   `json:"self,omitempty"` // written by the author of the message
}

// ClassifyAnswer answers POST /v1/classify: one result a text, in order.
type ClassifyAnswer struct {
	Head    HeadAnswer       `json:"head"`
	Results []ClassifyResult `json:"results"`
}

// ClassifyResult is the answer to one text: labels and values, or a reason.
type ClassifyResult struct {
	ID     string    `json:"id,omitempty"`
	Labels []string  `json:"labels"`           // that hold; never null
	Values []float64 `json:"values,omitempty"` // calibrated probabilities in the order of HeadAnswer.Labels
	Reason string    `json:"reason,omitempty"`
}

// HeadAnswer names a head and what it runs on.
type HeadAnswer struct {
	Name          string    `json:"name"`
	Kind          string    `json:"kind"`
	Labels        []string  `json:"labels"`
	SHA256        string    `json:"sha256"` // of the graph
	Encoder       string    `json:"encoder"`
	EncoderSHA256 string    `json:"encoder_sha256"`
	Created       time.Time `json:"created"`
}

// HeadPage answers GET /v1/heads.
type HeadPage struct {
	Items []HeadAnswer `json:"items"`
}
