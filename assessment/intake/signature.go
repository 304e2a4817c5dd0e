package intake

import (
	"context"
	"crypto"
	"crypto/ecdsa"
	"crypto/ed25519"
	"crypto/elliptic"
	"crypto/sha256"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"math/big"
	"slices"
	"strconv"
	"strings"
	"time"

	"heartmark/internal/proof/jose"
)

// TypEvidence is the typ of a detached JWS over an evidence batch.
const TypEvidence = "heartmark-evidence+jws"

// signatureAge is how old, or by clocks apart how young, a message signature may be.
const signatureAge = 5 * time.Minute

// Policy is what a tenant asks of its own evidence.
type Policy struct {
	// DIDs are those whose keys may sign the tenant's batches.
	DIDs []string
	// Signed refuses batches without a signature.
	Signed bool
	// MaxQueued is how many batches may wait at once; 0 takes DefaultQuota.
	MaxQueued int
}

// Signature is what a platform signed a batch with: a message signature of RFC 9421, or a detached JWS, and the digest of
// the content (RFC 9530), which a message signature covers.
type Signature struct {
	Digest string // value of Content-Digest
	Input  string // value of Signature-Input
	Value  string // value of Signature
	JWS    string // "header..signature" over DetachedPayload
	// Component returns the value of a covered component of the request, such as "@path" or "content-type" (RFC 9421, 2).
	Component func(name string) (string, bool)
}

// DetachedPayload is what a detached JWS signs: the receipt's id and the Content-Digest of the whole content as sent.
func DetachedPayload(consent, contentDigest string) []byte {
	return []byte("heartmark/evidence/v1\n" + consent + "\n" + contentDigest)
}

// ContentDigest is the value of Content-Digest for a SHA-256 (RFC 9530, 2).
func ContentDigest(sum [sha256.Size]byte) string {
	return "sha-256=:" + base64.StdEncoding.EncodeToString(sum[:]) + ":"
}

// signedBy checks digest and signature of a batch and returns the verification method that signed, "" where none did and
// none must.
func (s *Service) signedBy(ctx context.Context, tenant, consent string, sig *Signature, sum [sha256.Size]byte) (string, error) {
	policy, err := s.c.Policy(ctx, tenant)
	if err != nil {
		return "", fmt.Errorf("policy: %w", err)
	}
	if sig == nil || sig.Digest == "" && sig.Input == "" && sig.Value == "" && sig.JWS == "" {
		if policy.Signed {
			return "", fmt.Errorf("this tenant's evidence must be signed: %w", ErrSignature)
		}
		return "", nil
	}
	if sig.Digest != "" && sig.Digest != ContentDigest(sum) {
		return "", fmt.Errorf("the content has %s: %w", ContentDigest(sum), ErrDigest)
	}
	switch {
	case sig.JWS != "" && (sig.Input != "" || sig.Value != ""):
		return "", fmt.Errorf("two kinds at once: %w", ErrSignature)
	case sig.JWS != "":
		return s.detached(ctx, policy, sig.JWS, DetachedPayload(consent, ContentDigest(sum)))
	case sig.Input != "" || sig.Value != "":
		return s.message(ctx, policy, sig)
	case policy.Signed:
		return "", fmt.Errorf("a digest is no signature: %w", ErrSignature)
	}
	return "", nil
}

// detached verifies a JWS whose payload is left out (RFC 7515, appendix F).
func (s *Service) detached(ctx context.Context, p Policy, compact string, payload []byte) (method string, err error) {
	header, signature, ok := strings.Cut(compact, "..")
	if !ok || strings.Contains(header, ".") || strings.Contains(signature, ".") {
		return "", fmt.Errorf("not header..signature: %w", ErrSignature)
	}
	token, err := jose.Parse(header + "." + base64.RawURLEncoding.EncodeToString(payload) + "." + signature)
	if err != nil {
		return "", fmt.Errorf("%w: %w", ErrSignature, err)
	}
	if token.Header.Typ != TypEvidence {
		return "", fmt.Errorf("typ %q: %w", token.Header.Typ, ErrSignature)
	}
	key, err := s.platformKey(ctx, p, token.Header.Kid)
	if err != nil {
		return "", err
	}
	if err := token.Verify(key); err != nil {
		return "", fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return token.Header.Kid, nil
}

// platformKey finds a key that may sign the tenant's batches.
func (s *Service) platformKey(ctx context.Context, p Policy, method string) (crypto.PublicKey, error) {
	id, _, ok := strings.Cut(method, "#")
	if !ok || !slices.Contains(p.DIDs, id) {
		return nil, fmt.Errorf("key %q is none of this tenant's: %w", method, ErrSignature)
	}
	key, err := s.c.Keys.PlatformKey(ctx, id, method)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrSignature, err)
	}
	return key, nil
}

// required are the components that a message signature must cover, so that it fits this request alone.
func required() []string { return []string{"@method", "@path", "@query", "content-digest"} }

// message verifies a signature of RFC 9421.
func (s *Service) message(ctx context.Context, p Policy, sig *Signature) (method string, err error) {
	in, err := ParseSignatureInput(sig.Input)
	if err != nil {
		return "", err
	}
	raw, err := signatureValue(sig.Value, in.Label)
	if err != nil {
		return "", err
	}
	for _, name := range required() {
		if !slices.Contains(in.Components, name) {
			return "", fmt.Errorf("%s is not covered: %w", name, ErrSignature)
		}
	}
	now := s.c.Now()
	if now.Sub(time.Unix(in.Created, 0)).Abs() > signatureAge || in.Expires != 0 && now.Unix() >= in.Expires {
		return "", fmt.Errorf("created %d: %w", in.Created, ErrSignature)
	}
	base, err := in.base(sig)
	if err != nil {
		return "", err
	}
	key, err := s.platformKey(ctx, p, in.KeyID)
	if err != nil {
		return "", err
	}
	return in.KeyID, verifyMessage(key, in.Alg, base, raw)
}

// verifyMessage checks a signature by the key's own algorithm; alg, where given, must name it (RFC 9421, 3.3).
func verifyMessage(pub crypto.PublicKey, alg string, message, sig []byte) error {
	name, valid := "", false
	switch k := pub.(type) {
	case ed25519.PublicKey:
		name, valid = "ed25519", len(k) == ed25519.PublicKeySize && ed25519.Verify(k, message, sig)
	case *ecdsa.PublicKey:
		switch k.Curve {
		case elliptic.P256():
			sum := sha256.Sum256(message)
			name, valid = "ecdsa-p256-sha256", verifyECDSA(k, sum[:], sig, 32)
		case elliptic.P384():
			sum := sha512.Sum384(message)
			name, valid = "ecdsa-p384-sha384", verifyECDSA(k, sum[:], sig, 48)
		}
	}
	if !valid || alg != "" && alg != name {
		return fmt.Errorf("message signature: %w", ErrSignature)
	}
	return nil
}

// verifyECDSA takes r and s side by side, size bytes each.
func verifyECDSA(k *ecdsa.PublicKey, sum, sig []byte, size int) bool {
	if len(sig) != 2*size {
		return false
	}
	return ecdsa.Verify(k, sum, new(big.Int).SetBytes(sig[:size]), new(big.Int).SetBytes(sig[size:]))
}

// SignatureInput is a parsed Signature-Input with one signature (RFC 9421, 4.1), in its canonical spelling.
type SignatureInput struct {
	Label      string
	Components []string
	Created    int64 // seconds since 1970
	Expires    int64 // 0: none
	KeyID      string
	Alg        string // "": the key's
	Nonce      string
	Tag        string
	order      []string // of the parameters, as sent: the signature covers it
}

// maxSignatureHeader bounds Signature-Input and Signature.
const maxSignatureHeader = 8 << 10

// ParseSignatureInput reads one signature's input: a label, plain component names, and the parameters of RFC 9421, 2.3, each
// once. Parameters of components, several signatures and any other spelling than the canonical one of RFC 9651 are refused
// with ErrSignature; what it takes, String gives back byte for byte.
func ParseSignatureInput(text string) (SignatureInput, error) {
	in, err := parseSignatureInput(text)
	if err == nil && in.String() != text {
		err = errors.New("not in canonical spelling")
	}
	if err != nil {
		return SignatureInput{}, fmt.Errorf("Signature-Input: %w: %w", ErrSignature, err)
	}
	return in, nil
}

func parseSignatureInput(text string) (SignatureInput, error) {
	if len(text) > maxSignatureHeader {
		return SignatureInput{}, errors.New("too long")
	}
	label, rest, ok := strings.Cut(text, "=(")
	if !ok || !isLabel(label) {
		return SignatureInput{}, errors.New("no label")
	}
	list, rest, ok := strings.Cut(rest, ")")
	if !ok {
		return SignatureInput{}, errors.New("no list of components")
	}
	in := SignatureInput{Label: label}
	for item := range strings.SplitSeq(list, " ") {
		name, ok := unquote(item)
		if !ok || name == "" || name != strings.ToLower(name) || slices.Contains(in.Components, name) {
			return SignatureInput{}, errors.New("components are not each once in quotes and lower case")
		}
		in.Components = append(in.Components, name)
	}
	return in, in.parameters(rest)
}

func (in *SignatureInput) parameters(rest string) error {
	for rest != "" {
		end := parameterEnd(rest)
		name, value, ok := strings.Cut(rest[1:end], "=")
		if rest[0] != ';' || !ok || slices.Contains(in.order, name) {
			return errors.New("parameters are not each once behind a semicolon")
		}
		if err := in.parameter(name, value); err != nil {
			return err
		}
		in.order = append(in.order, name)
		rest = rest[end:]
	}
	if in.Created <= 0 || in.KeyID == "" {
		return errors.New("created and keyid are needed")
	}
	return nil
}

// parameterEnd is where the parameter at the beginning of text ends: at the next semicolon outside quotes.
func parameterEnd(text string) int {
	quoted := false
	for i := 1; i < len(text); i++ {
		switch text[i] {
		case '"':
			quoted = !quoted
		case ';':
			if !quoted {
				return i
			}
		}
	}
	return len(text)
}

func (in *SignatureInput) parameter(name, value string) error {
	texts := map[string]*string{"keyid": &in.KeyID, "alg": &in.Alg, "nonce": &in.Nonce, "tag": &in.Tag}
	numbers := map[string]*int64{"created": &in.Created, "expires": &in.Expires}
	if target, ok := texts[name]; ok {
		if *target, ok = unquote(value); ok && *target != "" {
			return nil
		}
		return fmt.Errorf("%s is no string", name)
	}
	target, ok := numbers[name]
	n, err := strconv.ParseInt(value, 10, 64)
	if !ok || err != nil || n <= 0 || n > 1<<40 {
		return fmt.Errorf("%q is no parameter with its value", name)
	}
	*target = n
	return nil
}

// unquote reads a string of RFC 9651 without escapes.
func unquote(s string) (string, bool) {
	if len(s) < 2 || s[0] != '"' || s[len(s)-1] != '"' {
		return "", false
	}
	s = s[1 : len(s)-1]
	return s, !strings.ContainsFunc(s, func(r rune) bool { return r < 0x20 || r > 0x7e || r == '"' || r == '\\' })
}

func isLabel(s string) bool {
	return s != "" && len(s) <= 64 && s[0] >= 'a' && s[0] <= 'z' && !strings.ContainsFunc(s, func(r rune) bool {
		return (r < 'a' || r > 'z') && (r < '0' || r > '9') && !strings.ContainsRune("_-.*", r)
	})
}

// String is the header's value; params is its part behind the label.
func (in SignatureInput) String() string { return in.Label + "=" + in.params() }

func (in SignatureInput) params() string {
	var b strings.Builder
	b.WriteString("(")
	for i, c := range in.Components {
		if i > 0 {
			b.WriteString(" ")
		}
		b.WriteString(`"` + c + `"`)
	}
	b.WriteString(")")
	for _, name := range in.order {
		b.WriteString(";" + name + "=")
		switch name {
		case "created":
			b.WriteString(strconv.FormatInt(in.Created, 10))
		case "expires":
			b.WriteString(strconv.FormatInt(in.Expires, 10))
		default:
			b.WriteString(`"` + map[string]string{"keyid": in.KeyID, "alg": in.Alg, "nonce": in.Nonce, "tag": in.Tag}[name] + `"`)
		}
	}
	return b.String()
}

// base is the signature base of RFC 9421, 2.5.
func (in SignatureInput) base(sig *Signature) ([]byte, error) {
	var b strings.Builder
	for _, name := range in.Components {
		value, ok := "", false
		if sig.Component != nil {
			value, ok = sig.Component(name)
		}
		if name == "content-digest" {
			value, ok = sig.Digest, sig.Digest != ""
		}
		if !ok || strings.ContainsAny(value, "\r\n") {
			return nil, fmt.Errorf("component %q: %w", name, ErrSignature)
		}
		b.WriteString(`"` + name + `": ` + value + "\n")
	}
	b.WriteString(`"@signature-params": ` + in.params())
	return []byte(b.String()), nil
}

// signatureValue reads the signature under a label.
func signatureValue(text, label string) ([]byte, error) {
	inner, ok := strings.CutPrefix(text, label+"=:")
	inner, ok2 := strings.CutSuffix(inner, ":")
	if !ok || !ok2 || len(text) > maxSignatureHeader || strings.ContainsAny(inner, "\r\n") {
		return nil, fmt.Errorf("Signature has not the label %s alone: %w", label, ErrSignature)
	}
	raw, err := base64.StdEncoding.Strict().DecodeString(inner)
	if err != nil {
		return nil, fmt.Errorf("Signature is not base64: %w", ErrSignature)
	}
	return raw, nil
}
