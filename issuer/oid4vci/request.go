package oid4vci

import (
	"encoding/json"

	"heartmark/internal/proof/jose"
	"heartmark/schemas"
)

// Types of key proof (OpenID4VCI 1.0, Appendix F).
const (
	ProofJWT         = "jwt"
	ProofDIVP        = "di_vp"
	ProofAttestation = "attestation"
)

// CredentialRequest is a credential request (OpenID4VCI 1.0, 8.2).
type CredentialRequest struct {
	CredentialIdentifier      string
	CredentialConfigurationID string
	// ProofType is the one type of the proofs, "" where there are none. Proofs are those of type jwt and attestation,
	// Presentations those of type di_vp; of another type neither is read.
	ProofType     string
	Proofs        []string
	Presentations []map[string]any
	// Encryption asks for an encrypted answer; nil for none.
	Encryption *ResponseEncryption
	// Encrypted tells that the request itself was encrypted. The edge sets it.
	Encrypted bool
}

// ResponseEncryption is credential_response_encryption (8.2, 10), made by the Parse functions.
type ResponseEncryption struct {
	recipient jose.Recipient
	enc       string
}

// ParseCredentialRequest reads the body of a credential request. It takes `proofs` of section 8.2 and, from clients of an
// older draft, one `proof`; members that the specification does not know are ignored, as it demands. Faults are *Error.
func ParseCredentialRequest(body []byte) (CredentialRequest, error) {
	m, err := schemas.ParseObject(body)
	if err != nil {
		return CredentialRequest{}, fail(CodeInvalidRequestBody, "the body is not one JSON object: "+err.Error())
	}
	var r CredentialRequest
	for name, into := range map[string]*string{
		"credential_identifier": &r.CredentialIdentifier, "credential_configuration_id": &r.CredentialConfigurationID,
	} {
		if *into, err = optionalText(m, name); err != nil {
			return CredentialRequest{}, err
		}
	}
	if r.Encryption, err = readEncryption(m); err != nil {
		return CredentialRequest{}, err
	}
	_, several := m["proofs"]
	_, single := m["proof"]
	switch {
	case several && single:
		return CredentialRequest{}, fail(CodeInvalidRequestBody, "proof and proofs cannot both be there")
	case several:
		err = r.readProofs(m["proofs"])
	case single:
		err = r.readProof(m["proof"])
	}
	return r, err
}

// optionalText reads a member that is a text where it is there.
func optionalText(m map[string]any, name string) (string, error) {
	v, present := m[name]
	s, isText := v.(string)
	if present && (!isText || s == "") {
		return "", fail(CodeInvalidRequestBody, name+": expected a text")
	}
	return s, nil
}

func readEncryption(m map[string]any) (*ResponseEncryption, error) {
	v, present := m["credential_response_encryption"]
	if !present {
		return nil, nil
	}
	e, ok := v.(map[string]any)
	if !ok {
		return nil, badEncryption("expected an object")
	}
	if _, compressed := e["zip"]; compressed {
		return nil, badEncryption("zip is not offered")
	}
	enc, _ := e["enc"].(string)
	raw, err := schemas.Marshal(e["jwk"])
	if err != nil {
		return nil, badEncryption("jwk is missing")
	}
	recipient, err := jose.ParseRecipient(json.RawMessage(raw))
	if err != nil {
		return nil, badEncryption("jwk: expected a P-256 key for ECDH-ES")
	}
	if !offeredEncryption(enc) {
		return nil, badEncryption("enc is not offered")
	}
	return &ResponseEncryption{recipient: recipient, enc: enc}, nil
}

func badEncryption(why string) *Error {
	return fail(CodeInvalidEncryption, "credential_response_encryption: "+why)
}

func (r *CredentialRequest) readProofs(v any) error {
	m, ok := v.(map[string]any)
	if !ok || len(m) != 1 {
		return fail(CodeInvalidProof, "proofs: expected an object with one type of proof")
	}
	for kind, list := range m {
		r.ProofType = kind
		items, ok := list.([]any)
		if !ok || len(items) == 0 {
			return fail(CodeInvalidProof, "proofs: expected an array with at least one proof")
		}
		for _, item := range items {
			if err := r.addProof(item); err != nil {
				return err
			}
		}
	}
	return nil
}

// addProof takes one proof of the request's type. Types that are not known are refused later, by name.
func (r *CredentialRequest) addProof(item any) error {
	switch r.ProofType {
	case ProofJWT, ProofAttestation:
		s, ok := item.(string)
		if !ok {
			return fail(CodeInvalidProof, "proofs: expected each proof as a text")
		}
		r.Proofs = append(r.Proofs, s)
	case ProofDIVP:
		m, ok := item.(map[string]any)
		if !ok {
			return fail(CodeInvalidProof, "proofs: expected each proof as an object")
		}
		r.Presentations = append(r.Presentations, m)
	}
	return nil
}

func (r *CredentialRequest) readProof(v any) error {
	m, ok := v.(map[string]any)
	if !ok {
		return fail(CodeInvalidProof, "proof: expected an object")
	}
	r.ProofType, _ = m["proof_type"].(string)
	if r.ProofType != ProofJWT {
		r.ProofType = "other" // the older draft's forms of other types are not ours
		return nil
	}
	return r.addProof(m["jwt"])
}

// DeferredRequest asks again for a credential that was not ready (9.1).
type DeferredRequest struct {
	TransactionID string
	Encryption    *ResponseEncryption
	Encrypted     bool
}

// ParseDeferredRequest reads the body of a deferred credential request. Faults are *Error.
func ParseDeferredRequest(body []byte) (DeferredRequest, error) {
	m, err := schemas.ParseObject(body)
	if err != nil {
		return DeferredRequest{}, fail(CodeInvalidRequestBody, "the body is not one JSON object: "+err.Error())
	}
	var r DeferredRequest
	if r.TransactionID, err = optionalText(m, "transaction_id"); err != nil {
		return DeferredRequest{}, err
	}
	if r.TransactionID == "" {
		return DeferredRequest{}, fail(CodeInvalidRequestBody, "transaction_id is missing")
	}
	r.Encryption, err = readEncryption(m)
	return r, err
}
