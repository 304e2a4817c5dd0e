package oid4vp

import (
	"errors"
	"net/http"
)

// Errors for whoever asked for a presentation.
var (
	// ErrNotFound: no session has this secret, or it is another tenant's. Answer 404.
	ErrNotFound = errors.New("no such presentation session")
	// ErrResponseCode: the session's result is read with the response code that the wallet brought back, and this is not it.
	// Answer 403.
	ErrResponseCode = errors.New("response code does not fit the session")
	// ErrNotAllowed: a caller without a key may use templates alone. Answer 403.
	ErrNotAllowed = errors.New("without a key only a template may be asked for")
	// ErrState: the session is not in the state that the call needs. Answer 409.
	ErrState = errors.New("session is in another state")
	// ErrExists: between service and store: an id is taken.
	ErrExists = errors.New("session exists")
)

// Codes of section 8.5, and of RFC 6749 where the session has no better word.
const (
	CodeInvalidRequest  = "invalid_request"
	CodeInvalidTransact = "invalid_transaction_data"
)

// Error is an answer to a wallet.
type Error struct {
	Code, Description string
	Status            int
}

func (e *Error) Error() string { return e.Code + ": " + e.Description }

// Unwrap says what the answer is to whoever does not speak OAuth.
func (e *Error) Unwrap() error {
	if e.Status == http.StatusBadRequest {
		return fault("", e.Description)
	}
	return nil
}

func refuse(description string) error {
	return &Error{Code: CodeInvalidRequest, Description: description, Status: http.StatusBadRequest}
}

// gone is the answer for every session that is unknown, over or past its time: it tells nobody which of them it was.
func gone() error {
	return &Error{Code: CodeInvalidRequest, Description: "the request is unknown, was answered, or has expired", Status: http.StatusBadRequest}
}
