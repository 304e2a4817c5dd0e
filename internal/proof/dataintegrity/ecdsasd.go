package dataintegrity

import (
	"crypto"
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"encoding/base64"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	"heartmark/internal/keys"

	"github.com/mr-tron/base58"
)

// hmacKeySize is the length of the key that hides labels (VC Data Integrity ECDSA, 3.6.1).
const hmacKeySize = 32

// sdSecrets are the keys of one base proof. The private half of proof is forgotten as soon as the proof is made.
type sdSecrets struct {
	hmac  []byte
	proof *ecdsa.PrivateKey
}

func newSecrets() (sdSecrets, error) {
	s := sdSecrets{hmac: make([]byte, hmacKeySize)}
	if _, err := rand.Read(s.hmac); err != nil {
		return s, fmt.Errorf("draw key: %w", err)
	}
	var err error
	if s.proof, err = ecdsa.GenerateKey(elliptic.P256(), rand.Reader); err != nil {
		return s, fmt.Errorf("draw key: %w", err)
	}
	return s, nil
}

// signSelective returns a copy of doc with a base proof, which stands alone.
func (p *Processor) signSelective(doc map[string]any, o ProofOptions, config map[string]any, signer crypto.Signer) (map[string]any, error) {
	own, err := normalizeObject(doc)
	if err != nil {
		return nil, err
	}
	existing, err := o.existing(own)
	if err != nil {
		return nil, err
	}
	if len(existing) > 0 || len(o.PreviousProof) > 0 {
		return nil, fmt.Errorf("%w: a base proof stands alone", ErrSigned)
	}
	delete(own, "proof")
	secrets, err := newSecrets()
	if err != nil {
		return nil, err
	}
	if config["proofValue"], err = p.signBase(own, config, o.Mandatory, signer, secrets); err != nil {
		return nil, err
	}
	own["proof"] = []any{config}
	return own, nil
}

// checkSelective is Check for a derived proof, found on copies of doc and proof.
func (p *Processor) checkSelective(doc, proof map[string]any, parsed Proof, key crypto.PublicKey) error {
	if len(parsed.PreviousProof) > 0 {
		return fmt.Errorf("%w: a derived proof is no part of a chain", ErrPreviousProof)
	}
	config, err := normalizeObject(proof)
	if err != nil {
		return fmt.Errorf("%w: %w", ErrProofShape, err)
	}
	own, err := normalizeObject(doc)
	if err != nil {
		return err
	}
	if err := proofContext(own, config, suite{sd: true}); err != nil {
		return err
	}
	delete(own, "proof")
	delete(config, "proofValue")
	return p.checkDerived(own, config, parsed.Value, key)
}

// signBase makes a base proof over doc, which has no proof, and returns its proofValue (3.6.1 to 3.6.5).
func (p *Processor) signBase(doc, config map[string]any, mandatory []string, signer crypto.Signer, s sdSecrets) (string, error) {
	contexts, proofHash, err := p.sdConfig(doc, config)
	if err != nil {
		return "", err
	}
	d, err := p.hideLabels(doc, contexts, s.hmac)
	if err != nil {
		return "", err
	}
	places, _, err := d.group(mandatory)
	if err != nil {
		return "", err
	}
	value := baseValue{HMACKey: s.hmac, Mandatory: mandatory, Each: [][]byte{}}
	if value.Mandatory == nil {
		value.Mandatory = []string{}
	}
	if value.PublicKey, err = multikey(&s.proof.PublicKey); err != nil {
		return "", err
	}
	var always []string
	for i, line := range d.lines {
		if slices.Contains(places, i) {
			always = append(always, line)
			continue
		}
		signature, err := ecdsaP{}.sign(s.proof, []byte(line))
		if err != nil {
			return "", fmt.Errorf("sign statement: %w", err)
		}
		value.Each = append(value.Each, signature)
	}
	if value.Base, err = (ecdsaP{}).sign(signer, sdMessage(proofHash, value.PublicKey, always)); err != nil {
		return "", fmt.Errorf("sign: %w", err)
	}
	return encodeSD(headerBase(), value)
}

// sdConfig checks document and proof options and hashes the latter.
func (p *Processor) sdConfig(doc, config map[string]any) (contexts []string, proofHash []byte, err error) {
	if contexts, err = p.inspect(doc); err != nil {
		return nil, nil, err
	}
	options := maps.Clone(config)
	options["@context"] = doc["@context"]
	if _, err := p.inspect(options); err != nil {
		return nil, nil, fmt.Errorf("%w: %w", ErrProofShape, err)
	}
	canonical, err := p.canonical(options, contexts, crypto.SHA256)
	if err != nil {
		return nil, nil, fmt.Errorf("proof options: %w", err)
	}
	return contexts, digest(crypto.SHA256, nil, canonical), nil
}

// sdMessage is what the issuer signs: the hash of the proof options, the proof's own key, and the hash of the mandatory
// statements.
func sdMessage(proofHash, publicKey []byte, mandatory []string) []byte {
	message := append(slices.Clone(proofHash), publicKey...)
	return digest(crypto.SHA256, message, []byte(strings.Join(mandatory, "")))
}

// multikey returns the bytes of a Multikey: prefix and compressed point.
func multikey(key *ecdsa.PublicKey) ([]byte, error) {
	text, err := keys.Multibase(key)
	if err != nil {
		return nil, fmt.Errorf("%w: %w", ErrKey, err)
	}
	return base58.Decode(text[1:])
}

// Derive returns what a holder shows of doc, whose one proof is a base proof: the members that pointers (RFC 6901) select
// beside those that the issuer made mandatory, with a derived proof (3.6.6 and 3.6.7). It returns ErrPointer for a pointer
// to nothing. It does not check the base proof's signature: a verifier checks the derived one.
func (p *Processor) Derive(doc map[string]any, pointers []string) (map[string]any, error) {
	proofs, err := Proofs(doc)
	if err != nil {
		return nil, err
	}
	if len(proofs) != 1 || proofs[0]["cryptosuite"] != ECDSASD2023 {
		return nil, fmt.Errorf("%w: expected one base proof of %s", ErrProofShape, ECDSASD2023)
	}
	var base baseValue
	text, _ := proofs[0]["proofValue"].(string)
	if err := decodeSD(text, headerBase(), &base); err != nil {
		return nil, err
	}
	if err := sized("key", hmacKeySize, base.HMACKey); err != nil {
		return nil, err
	}
	own, err := normalizeObject(doc)
	if err != nil {
		return nil, err
	}
	delete(own, "proof")
	value, shown, err := p.derive(own, base, pointers)
	if err != nil {
		return nil, err
	}
	proof := maps.Clone(proofs[0])
	if proof["proofValue"], err = encodeSD(headerDerived(), value); err != nil {
		return nil, err
	}
	shown["proof"] = []any{proof}
	return shown, nil
}

func (p *Processor) derive(doc map[string]any, base baseValue, pointers []string) (value derivedValue, shown map[string]any, err error) {
	contexts, err := p.inspect(doc)
	if err != nil {
		return value, nil, err
	}
	d, err := p.hideLabels(doc, contexts, base.HMACKey)
	if err != nil {
		return value, nil, err
	}
	mandatory, _, err := d.group(base.Mandatory)
	if err != nil {
		return value, nil, err
	}
	both := append(slices.Clone(base.Mandatory), pointers...)
	if len(both) == 0 {
		return value, nil, fmt.Errorf("%w: nothing is mandatory and nothing is selected", ErrPointer)
	}
	combined, r, err := d.group(both)
	if err != nil {
		return value, nil, err
	}
	if len(base.Each) != len(d.lines)-len(mandatory) {
		return value, nil, fmt.Errorf("%w: %d signatures for %d statements", ErrProofShape, len(base.Each), len(d.lines)-len(mandatory))
	}
	value = derivedValue{Base: base.Base, PublicKey: base.PublicKey, Each: [][]byte{}, Labels: map[uint64][]byte{}, Mandatory: []uint64{}}
	for i, place := range combined {
		before, isMandatory := slices.BinarySearch(mandatory, place)
		if isMandatory {
			value.Mandatory = append(value.Mandatory, uint64(i))
			continue
		}
		value.Each = append(value.Each, base.Each[place-before])
	}
	for node, label := range r.Labels {
		number, err1 := strconv.ParseUint(strings.TrimPrefix(label, "c14n"), 10, 32)
		hidden, err2 := base64.RawURLEncoding.DecodeString(strings.TrimPrefix(d.hidden[node], "u"))
		if err1 != nil || err2 != nil {
			panic("dataintegrity: label of a form that is not made here")
		}
		value.Labels[number] = hidden
	}
	shown, err = selectJSON(doc, both)
	return value, shown, err
}

// checkDerived verifies a derived proof (3.6.8): the issuer's key for the mandatory statements and the proof's own key, that
// key for each other statement. Nothing in doc is left out.
func (p *Processor) checkDerived(doc, config map[string]any, text string, key crypto.PublicKey) error {
	var value derivedValue
	if err := decodeSD(text, headerDerived(), &value); err != nil {
		return err
	}
	labels, err := value.check()
	if err != nil {
		return err
	}
	own, err := keys.ParseMultibase("z" + base58.Encode(value.PublicKey))
	if err != nil {
		return fmt.Errorf("%w: proofValue: %w", ErrProofShape, err)
	}
	if h, err := (ecdsaP{}).hash(own); err != nil || h != crypto.SHA256 {
		return fmt.Errorf("%w: proofValue: key of another curve", ErrProofShape)
	}
	contexts, proofHash, err := p.sdConfig(doc, config)
	if err != nil {
		return err
	}
	canonical, err := p.canonical(doc, contexts, crypto.SHA256)
	if err != nil {
		return err
	}
	lines, err := relabel(canonical, labels)
	if err != nil {
		return err
	}
	if len(lines) != len(value.Mandatory)+len(value.Each) {
		return fmt.Errorf("%w: %d statements, signatures for %d", ErrProofInvalid, len(lines), len(value.Mandatory)+len(value.Each))
	}
	var mandatory, others []string
	for i, line := range lines {
		if _, found := slices.BinarySearch(value.Mandatory, uint64(i)); found {
			mandatory = append(mandatory, line)
		} else {
			others = append(others, line)
		}
	}
	if len(mandatory) != len(value.Mandatory) || !(ecdsaP{}).verify(key, sdMessage(proofHash, value.PublicKey, mandatory), value.Base) {
		return ErrProofInvalid
	}
	for i, line := range others {
		if !(ecdsaP{}).verify(own, []byte(line), value.Each[i]) {
			return ErrProofInvalid
		}
	}
	return nil
}

// check holds the sizes of 3.5.8 and returns the label map in text form.
func (v derivedValue) check() (map[string]string, error) {
	const signature, point, label = 64, 35, 32
	err := sized("signature", signature, append(slices.Clone(v.Each), v.Base)...)
	if err == nil {
		err = sized("key", point, v.PublicKey)
	}
	labels, seen := map[string]string{}, map[string]bool{}
	for number, hidden := range v.Labels {
		if err == nil {
			err = sized("label", label, hidden)
		}
		text := "u" + base64.RawURLEncoding.EncodeToString(hidden)
		if seen[text] {
			return nil, fmt.Errorf("%w: proofValue: a label stands twice", ErrProofShape)
		}
		seen[text], labels["c14n"+strconv.FormatUint(number, 10)] = true, text
	}
	for i := 1; i < len(v.Mandatory); i++ {
		if v.Mandatory[i] <= v.Mandatory[i-1] {
			return nil, fmt.Errorf("%w: proofValue: indexes are not in order", ErrProofShape)
		}
	}
	return labels, err
}
