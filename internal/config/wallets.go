package config

import (
	"errors"
	"fmt"
	"slices"
)

// Wallets is what is asked of wallets that take credentials (OpenID4VCI 1.0).
type Wallets struct {
	// Batch is how many keys one credential request may bring, at most 20; 0 is ten.
	Batch int `yaml:"batch"`
	// Clients, where there are any, are the only wallets without an attestation that may use the authorisation code flow.
	Clients []WalletClient `yaml:"clients"`
	// Attesters are makers of wallets, or of their key storage, whose attestations are believed.
	Attesters []Attester `yaml:"attesters"`
	// Attestation, DPoP and KeyAttestation are optional or required; empty is optional.
	Attestation    string `yaml:"attestation"`
	DPoP           string `yaml:"dpop"`
	KeyAttestation string `yaml:"key_attestation"`
	// KeyStorage and UserAuthentication are the levels of which a key attestation must claim one each, such as
	// iso_18045_high; empty takes any. They need a KeyAttestation that is required: a wallet would else leave it out.
	KeyStorage         []string `yaml:"key_storage"`
	UserAuthentication []string `yaml:"user_authentication"`
}

// WalletClient is a wallet that is registered here.
type WalletClient struct {
	ID           string   `yaml:"id"`
	RedirectURIs []string `yaml:"redirect_uris"`
}

// Attester is one whose attestations are believed.
type Attester struct {
	// Issuer is the iss of its attestations.
	Issuer string `yaml:"issuer"`
	// KeysFile is a JSON Web Key Set with its public keys.
	KeysFile string `yaml:"keys_file"`
}

func (w Wallets) validate() error {
	var faults []error
	if w.Batch < 0 || w.Batch > 20 {
		faults = append(faults, fmt.Errorf("wallets.batch: %d is not between 0 and 20", w.Batch))
	}
	for name, value := range map[string]string{"attestation": w.Attestation, "dpop": w.DPoP, "key_attestation": w.KeyAttestation} {
		if !slices.Contains([]string{"", "optional", "required"}, value) {
			faults = append(faults, fmt.Errorf("wallets.%s: %q is neither optional nor required", name, value))
		}
	}
	if (w.Attestation == "required" || w.KeyAttestation == "required") && len(w.Attesters) == 0 {
		faults = append(faults, errors.New("wallets.attesters: empty, while attestations are required"))
	}
	if w.KeyAttestation != "required" && len(w.KeyStorage)+len(w.UserAuthentication) > 0 {
		faults = append(faults, errors.New("wallets.key_attestation: not required, while key_storage or user_authentication is demanded"))
	}
	for _, c := range w.Clients {
		if c.ID == "" || len(c.RedirectURIs) == 0 {
			faults = append(faults, fmt.Errorf("wallets.clients: %q needs an id and redirect_uris", c.ID))
		}
	}
	for _, a := range w.Attesters {
		if a.Issuer == "" || a.KeysFile == "" {
			faults = append(faults, fmt.Errorf("wallets.attesters: %q needs an issuer and a keys_file", a.Issuer))
		}
	}
	return errors.Join(faults...)
}

// Login is an external OpenID Connect provider.
type Login struct {
	// Issuer is its issuer URL.
	Issuer string `yaml:"issuer"`
	// ClientID is ours at the provider; SecretFile holds the client secret.
	ClientID   string `yaml:"client_id"`
	SecretFile string `yaml:"secret_file"`
}

func (l Login) validate() error {
	if l.Issuer == "" && l.ClientID == "" && l.SecretFile == "" {
		return nil
	}
	if l.Issuer == "" || l.ClientID == "" || l.SecretFile == "" {
		return errors.New("login: issuer, client_id and secret_file belong together")
	}
	return nil
}
