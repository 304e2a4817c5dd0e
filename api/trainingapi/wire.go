package trainingapi

import (
	"time"

	"heartmark/assessment/training"
)

// PlanRequest asks for a plan from stored reports of one subject.
type PlanRequest struct {
	Reports []string `json:"reports"` // ids; 1 to 20
}

// PlanAnswer is a plan in the caller's language.
type PlanAnswer struct {
	// View is platform (no figures) or full (the consent covers scores).
	View string            `json:"view"`
	Plan training.PlanView `json:"plan"`
}

// SessionAnswer is what a subject can practise now.
type SessionAnswer struct {
	Due   []DueExercise `json:"due"`
	Next  *NextExercise `json:"next,omitempty"`
	Later *time.Time    `json:"later,omitempty"` // when the next one comes due
}

// DueExercise is an exercise that is due.
type DueExercise struct {
	Exercise    training.ExerciseID `json:"exercise"`
	Text        string              `json:"text"`
	Due         time.Time           `json:"due"`
	Days        int                 `json:"days"` // the interval
	Repetitions int                 `json:"repetitions"`
}

// NextExercise is the one to do first.
type NextExercise struct {
	Exercise training.ExerciseID `json:"exercise"`
	By       training.Basis      `json:"by"`
	Why      string              `json:"why"`
}

// CompletionRequest records that an exercise was done.
type CompletionRequest struct {
	Exercise training.ExerciseID `json:"exercise"`
	Grade    *int                `json:"grade"` // 0 to 5
	At       *time.Time          `json:"at,omitempty"`
}

// MarkRequest records what the subject thinks of an exercise.
type MarkRequest struct {
	Exercise training.ExerciseID `json:"exercise"`
	Useful   *bool               `json:"useful"`
	Rating   *int                `json:"rating,omitempty"` // 1 to 5
}

// ScenarioPage lists practice scenarios.
type ScenarioPage struct {
	Items []training.ScenarioView `json:"items"`
}

// ApprovedAnswer is one of the tenant's answers, also a line of PUT /v1/coaching/answers.
type ApprovedAnswer struct {
	ID       string   `json:"id"`
	Lang     string   `json:"lang"`
	Question string   `json:"question"`
	Answer   string   `json:"answer"`
	Tags     []string `json:"tags,omitempty"`
}

// AnswerPage lists the tenant's answers.
type AnswerPage struct {
	Items []ApprovedAnswer `json:"items"`
	Next  string           `json:"next,omitempty"`
}

// AnswerCount tells how many answers are in force.
type AnswerCount struct {
	Count int `json:"count"`
}

// SuggestionRequest asks for answers to a customer's message.
type SuggestionRequest struct {
	// Asked says that the person who writes the reply asked for this. Without it nothing is suggested (design section 9.24).
	Asked   bool     `json:"asked"`
	Message string   `json:"message"`
	Lang    string   `json:"lang,omitempty"`
	Tags    []string `json:"tags,omitempty"`
	K       *int     `json:"k,omitempty"`
}

// SuggestionAnswer holds suggestions, the best first. None means that no approved answer fits.
type SuggestionAnswer struct {
	Suggestions []SuggestedAnswer `json:"suggestions"`
}

// SuggestedAnswer is an approved answer and why it may fit.
type SuggestedAnswer struct {
	Answer  ApprovedAnswer `json:"answer"`
	Score   float64        `json:"score"`
	Meaning *float64       `json:"meaning,omitempty"` // absent where words alone decided
	Words   float64        `json:"words"`
	Shared  []string       `json:"shared"`
	Why     string         `json:"why"`
}
