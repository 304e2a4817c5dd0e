package verifierapi

import (
	"heartmark/schemas"
	"heartmark/verifier"
)

// VerifyRequest is the JSON body of POST /v1/verify that holds exactly one of credential and presentation.
type VerifyRequest struct {
	Credential   any `json:"credential,omitempty"`
	Presentation any `json:"presentation,omitempty"`
	// Policy is the name of a policy; absent means default.
	Policy string `json:"policy,omitempty"`
	// Challenge and Domain are what the presenter was given.
	Challenge string `json:"challenge,omitempty"`
	Domain    string `json:"domain,omitempty"`
	// Log is the log proof that came with the credential; it asks for the check log_inclusion.
	Log *LogProof `json:"log,omitempty"`
	// ReturnCredential asks for the document that was checked beside the verdict.
	ReturnCredential bool `json:"return_credential,omitempty"`
	// Receipt asks for the verdict as a credential of its own, signed by the caller's tenant.
	Receipt bool `json:"receipt,omitempty"`
}

// LogProof is schemas.LogProof on the wire.
type LogProof = schemas.LogProof

// VerifyAnswer is the answer of POST /v1/verify; its details follow Accept-Language, everything else is stable.
type VerifyAnswer struct {
	verifier.Result
	// Receipt is a vc+jwt, where one was asked for.
	Receipt string `json:"receipt,omitempty"`
}
