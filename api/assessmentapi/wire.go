package assessmentapi

import (
	"heartmark/assessment"
	"heartmark/assessment/evidence"
)

// AssessmentAnswer answers POST /v1/assessments: one report for each subject with a live consent.
type AssessmentAnswer struct {
	Reports []ReportAnswer `json:"reports"`
	// Issues are the lines that were left out, under on_error=skip.
	Issues *IssueList `json:"issues,omitempty"`
}

// ReportAnswer is one report as the caller may read it.
type ReportAnswer struct {
	ID string `json:"id"`
	// View is platform (status, levels and reasons) or full (the consent covers scores and quotes).
	View   string            `json:"view"`
	Report assessment.Report `json:"report"`
}

// IssueList names lines that could not be read.
type IssueList struct {
	Total int              `json:"total"`
	Lines int              `json:"lines"`
	Items []evidence.Issue `json:"items"`
}

// ReportPage is one page of GET /v1/assessments.
type ReportPage struct {
	Items []string `json:"items"`
	Next  string   `json:"next,omitempty"`
}
