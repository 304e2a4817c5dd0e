package app

import (
	"slices"

	"heartmark/issuer"
)

// walletFormats are the formats that OpenID4VCI 1.0 has a name for (Appendix A). It has none for VC Data Model 2.0 in a JWS,
// so that form is issued by REST alone.
func walletFormats() []string { return []string{issuer.FormatDataIntegrity, issuer.FormatSDJWTVC} }

// walletConfigurations shows wallets one configuration for each form: the first under the configuration's own id, the
// others with the format behind a point. To the protocol, a configuration has one format.
func walletConfigurations(all []issuer.Configuration) []issuer.Configuration {
	var out []issuer.Configuration
	for _, c := range all {
		first := true
		for _, f := range c.Forms {
			if !slices.Contains(walletFormats(), f.Format) {
				continue
			}
			one := c
			one.Forms = []issuer.Form{f}
			if !first {
				one.ID += "." + f.Format
				if f.Cryptosuite != "" {
					one.ID += "." + f.Cryptosuite
				}
			}
			first = false
			out = append(out, one)
		}
	}
	return out
}

// formOf returns the configuration behind a wallet's, which of its forms is meant, and the ids under which wallets see its
// other forms. An id that no wallet was told comes back as it is: the issuer refuses it.
func formOf(all []issuer.Configuration, id string) (configuration string, form int, siblings []string) {
	for _, c := range all {
		form, siblings = -1, nil
		for _, shown := range walletConfigurations([]issuer.Configuration{c}) {
			if shown.ID == id {
				form = slices.Index(c.Forms, shown.Forms[0])
			} else {
				siblings = append(siblings, shown.ID)
			}
		}
		if form >= 0 {
			return c.ID, form, siblings
		}
	}
	return id, 0, nil
}
