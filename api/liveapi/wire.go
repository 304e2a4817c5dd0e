package liveapi

import (
	"heartmark/api/problem"
	"heartmark/assessment/live"
)

// FeedAnswer answers POST /v1/live/feeds.
type FeedAnswer struct {
	ID       string        `json:"id"`
	Settings live.Settings `json:"settings"`
}

// MessagesRequest brings messages to a feed.
type MessagesRequest struct {
	Messages []live.Message `json:"messages"`
}

// FeedFrame is what a feed's socket sends: what became of messages, an update, or a fault.
type FeedFrame struct {
	Added  *live.Added       `json:"added,omitempty"`
	Update *live.Update      `json:"update,omitempty"`
	Error  *problem.Document `json:"error,omitempty"`
}

// PracticeLine is what a practice socket takes.
type PracticeLine struct {
	Seq     int         `json:"seq"` // comes back with the answer
	Text    string      `json:"text"`
	Context []live.Turn `json:"context,omitempty"`
}

// PracticeFrame is what a practice socket sends.
type PracticeFrame struct {
	Seq     int                `json:"seq"`
	Signals map[string]float64 `json:"signals,omitempty"`
	Hints   []PracticeHint     `json:"hints,omitempty"`
	Error   *problem.Document  `json:"error,omitempty"`
}

// PracticeHint is a hint in the language of the session.
type PracticeHint struct {
	Code string `json:"code"`
	Text string `json:"text"`
}
