package issuer

import (
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"time"

	"heartmark/internal/did"
	"heartmark/internal/keys"
	"heartmark/internal/proof/jose"
	"heartmark/internal/proof/sdjwt"
	"heartmark/schemas"
	"heartmark/schemas/trust"
)

// Formats of a credential, by the names that OpenID4VCI 1.0 (Appendix A) and the media types have for them.
const (
	// FormatDataIntegrity is a credential with a Data Integrity proof in it.
	FormatDataIntegrity = "ldp_vc"
	// FormatSDJWTVC is an SD-JWT VC of the DEI type: each dimension is disclosed apart.
	FormatSDJWTVC = "dc+sd-jwt"
	// FormatJWT is the credential as the payload of a JWS (VC-JOSE-COSE 1.0, 3.1).
	FormatJWT = "vc+jwt"
	// FormatSDJWT is the credential as an SD-JWT (VC-JOSE-COSE 1.0, 3.2): each result is disclosed apart.
	FormatSDJWT = "vc+sd-jwt"
)

// Formats returns all formats.
func Formats() []string { return []string{FormatDataIntegrity, FormatSDJWTVC, FormatJWT, FormatSDJWT} }

// Cryptosuites of FormatDataIntegrity.
const (
	SuiteEdDSA     = "eddsa-rdfc-2022" // the default
	SuiteEdDSAJCS  = "eddsa-jcs-2022"
	SuiteECDSA     = "ecdsa-rdfc-2019"
	SuiteECDSAJCS  = "ecdsa-jcs-2019"
	SuiteECDSASD   = "ecdsa-sd-2023" // a base proof, for its holder alone, who derives from it what verifiers get
	algorithmEdDSA = keys.AlgEdDSA
)

// Form is one way in which a credential is secured.
type Form struct {
	// Format is one of Formats.
	Format string `json:"format"`
	// Cryptosuite is that of FormatDataIntegrity, "" for the others.
	Cryptosuite string `json:"cryptosuite,omitempty"`
	// Algorithm is that of the signing key: EdDSA, ES256 or ES384, as far as format and cryptosuite allow it.
	Algorithm string `json:"algorithm"`
}

// algorithms are those that the form may be signed with, the preferred one first; none for a form that there is not.
func (f Form) algorithms() []string {
	ecdsa := []string{keys.AlgES256, keys.AlgES384}
	switch f.Format {
	case FormatDataIntegrity:
		switch f.Cryptosuite {
		case SuiteEdDSA, SuiteEdDSAJCS:
			return []string{keys.AlgEdDSA}
		case SuiteECDSA, SuiteECDSAJCS:
			return ecdsa
		case SuiteECDSASD:
			return []string{keys.AlgES256}
		}
	case FormatSDJWTVC, FormatJWT, FormatSDJWT:
		if f.Cryptosuite == "" {
			return append(ecdsa, keys.AlgEdDSA)
		}
	}
	return nil
}

// Complete fills in what is left out: the default cryptosuite of FormatDataIntegrity, and the preferred algorithm.
func (f Form) Complete() Form {
	if f.Format == FormatDataIntegrity && f.Cryptosuite == "" {
		f.Cryptosuite = SuiteEdDSA
	}
	if allowed := f.algorithms(); f.Algorithm == "" && len(allowed) > 0 {
		f.Algorithm = allowed[0]
	}
	return f
}

// check returns what is wrong with the form, "" for nothing.
func (f Form) check() string {
	allowed := f.algorithms()
	switch {
	case len(allowed) == 0 && !slices.Contains(Formats(), f.Format):
		return fmt.Sprintf("format %q: expected one of %v", f.Format, Formats())
	case len(allowed) == 0 && f.Format == FormatDataIntegrity:
		return fmt.Sprintf("cryptosuite %q is none that is issued", f.Cryptosuite)
	case len(allowed) == 0:
		return fmt.Sprintf("cryptosuite %q: %s has none", f.Cryptosuite, f.Format)
	case !slices.Contains(allowed, f.Algorithm):
		return fmt.Sprintf("algorithm %q: expected one of %v for %s %s", f.Algorithm, allowed, f.Format, f.Cryptosuite)
	}
	return ""
}

// SigningAlgorithm names how the form is signed, as OpenID4VCI metadata does (credential_signing_alg_values_supported):
// the cryptosuite, or the JOSE algorithm.
func (f Form) SigningAlgorithm() string {
	if f.Format == FormatDataIntegrity {
		return f.Cryptosuite
	}
	return f.Algorithm
}

// prepared is a form of a permit with what it will be signed from.
type prepared struct {
	form   Form
	signer Signer
	// selective are the claims of a selectively disclosable form; the others are made of the permit's document.
	selective *schemas.SelectiveClaims
	template  string // SHA-256 of what is signed, in hex, before it is secured
}

// prepareForm gets ready what the form needs beside the document.
func (p *permit) prepareForm(f Form, signer Signer, cred schemas.DEICredential) (prepared, error) {
	out := prepared{form: f, signer: signer}
	if f.Format != FormatSDJWTVC && f.Format != FormatSDJWT {
		return out, nil
	}
	key, err := holderJWK(cred.HolderID)
	if err != nil {
		return out, err
	}
	var claims schemas.SelectiveClaims
	if f.Format == FormatSDJWT {
		claims, err = cred.SelectiveDocument(key)
	} else {
		claims, err = cred.SelectiveClaims(key, nil) // the status stands in when the index is known
	}
	if err != nil {
		return out, fmt.Errorf("claims: %w", err)
	}
	out.selective = &claims
	return out, nil
}

// holderJWK returns the holder's key for cnf. Only a DID that is its own key gives one that cannot change.
func holderJWK(id string) (json.RawMessage, error) {
	key, err := did.KeyOf(id)
	if err != nil {
		return nil, invalid("/subject/id", "a did:key or did:jwk with a key for signing, to which this form can be bound")
	}
	return keys.MarshalJWK(key)
}

// fill writes the index and digests what will be signed.
func (f *prepared) fill(document map[string]any, entries []schemas.StatusEntry, token schemas.TokenStatus) error {
	unsecured := document
	if f.selective != nil {
		unsecured = f.selective.Claims
	}
	if f.form.Cryptosuite == SuiteECDSASD {
		unsecured = schemas.WithPlainName(document)
	}
	switch f.form.Format {
	case FormatSDJWTVC:
		f.selective.SetStatus(token)
	case FormatSDJWT:
		if err := setStatus(unsecured, entries); err != nil {
			return err
		}
	}
	data, err := schemas.Marshal(unsecured)
	if err != nil {
		return fmt.Errorf("encode credential: %w", err)
	}
	f.template = hexDigest(data)
	return nil
}

// secure signs the form and returns it as it stands in JSON: an object, or a token as a text.
func (i *Issuer) secure(document map[string]any, f prepared, created time.Time) (json.RawMessage, error) {
	created = created.Truncate(time.Second)
	header := map[string]any{"typ": f.form.Format, "kid": trust.JWKMethod(f.signer.VerificationMethod())}
	var secured any
	var err error
	switch f.form.Format {
	case FormatDataIntegrity:
		proof := Proof{VerificationMethod: f.signer.VerificationMethod(), Cryptosuite: f.form.Cryptosuite, Created: created}
		if f.form.Cryptosuite == SuiteECDSASD {
			document = schemas.WithPlainName(document)
			proof.Mandatory, _ = schemas.SelectivePointers(document)
		}
		secured, err = i.c.Securer.Secure(document, proof, f.signer)
	case FormatSDJWTVC:
		secured, err = sdjwt.Issue(f.selective.Claims, sdjwt.Options{
			Header: header, Disclosable: f.selective.Disclosable, Pad: f.selective.Pad,
		}, f.signer)
	case FormatSDJWT:
		header["cty"] = "vc"
		secured, err = sdjwt.Issue(dated(f.selective.Claims, created), sdjwt.Options{
			Header: header, Disclosable: f.selective.Disclosable, Pad: f.selective.Pad,
		}, f.signer)
	case FormatJWT:
		header["cty"] = "vc"
		secured, err = signJWT(document, header, created, f.signer)
	default:
		panic("issuer: format " + f.form.Format + " passed Validate")
	}
	if err != nil {
		return nil, fmt.Errorf("sign %s: %w", f.form.Format, err)
	}
	out, err := schemas.Marshal(secured)
	if err != nil {
		return nil, fmt.Errorf("encode credential: %w", err)
	}
	return out, nil
}

// dated adds iat, which is when it was signed; the credential's own dates say when it is valid.
func dated(document map[string]any, created time.Time) map[string]any {
	claims := maps.Clone(document)
	claims["iat"] = created.Unix()
	return claims
}

// signJWT signs the document itself (VC-JOSE-COSE 1.0, 3.1.1).
func signJWT(document, header map[string]any, created time.Time, signer Signer) (string, error) {
	payload, err := schemas.Marshal(dated(document, created))
	if err != nil {
		return "", fmt.Errorf("payload: %w", err)
	}
	return jose.Sign(header, payload, signer)
}

// SignedForm is a form as it was signed.
type SignedForm struct {
	Form
	SigningKey schemas.KeyID `json:"signing_key"`
	// Digest is the SHA-256 of its JSON in hex.
	Digest string `json:"digest"`
}

// IssuedForm is a form that was given out.
type IssuedForm struct {
	SignedForm
	// Credential is the secured credential in JSON: an object, or a text that holds a token.
	Credential json.RawMessage
}

// Bytes returns the form as it is sent under its media type: the JSON object, or the token itself.
func (f IssuedForm) Bytes() []byte {
	var token string
	if json.Unmarshal(f.Credential, &token) == nil {
		return []byte(token)
	}
	return f.Credential
}

// joinForms is what gets sealed: the one form, or an array of all.
func joinForms(forms []IssuedForm) ([]byte, error) {
	if len(forms) == 1 {
		return forms[0].Credential, nil
	}
	list := make([]json.RawMessage, len(forms))
	for n, f := range forms {
		list[n] = f.Credential
	}
	return schemas.Marshal(list)
}

// splitForms reads what joinForms wrote. A record without Forms is of the time when there was one.
func (r Record) splitForms(data []byte) ([]IssuedForm, error) {
	signed := r.Forms
	if len(signed) == 0 {
		signed = []SignedForm{{
			Form: Form{Format: r.Format, Cryptosuite: SuiteEdDSA, Algorithm: algorithmEdDSA}, SigningKey: r.SigningKey, Digest: r.Digest,
		}}
	}
	list := []json.RawMessage{data}
	if len(signed) > 1 {
		if err := json.Unmarshal(data, &list); err != nil || len(list) != len(signed) {
			return nil, fmt.Errorf("credential %s does not hold its %d forms", r.ID, len(signed))
		}
	}
	out := make([]IssuedForm, len(signed))
	for n, f := range signed {
		if hexDigest(list[n]) != f.Digest {
			return nil, fmt.Errorf("credential %s: form %s differs from its digest", r.ID, f.Format)
		}
		out[n] = IssuedForm{SignedForm: f, Credential: list[n]}
	}
	return out, nil
}
