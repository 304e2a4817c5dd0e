package schemas

import (
	"encoding/json"
	"reflect"
	"strconv"
	"time"
)

// ParseNumericDate reads a JWT time (RFC 7519, 2): a JSON number, whole seconds, from 1970 to the end of 9999. Errors wrap
// ErrMalformed.
func ParseNumericDate(v any) (time.Time, error) {
	n, isNumber := v.(json.Number)
	seconds, err := strconv.ParseInt(n.String(), 10, 64)
	const year10000 = 253402300800
	if !isNumber || err != nil || seconds < 0 || seconds >= year10000 {
		return time.Time{}, badTime("a whole number of seconds since 1970")
	}
	return time.Unix(seconds, 0).UTC(), nil
}

// SelectiveClaims are claims with what their holder can withhold. The pointers are JSON Pointers (RFC 6901).
type SelectiveClaims struct {
	Claims      map[string]any
	Disclosable []string
	// Pad says how many digests an object shows at least, so that their number tells nothing.
	Pad map[string]int
}

// TokenStatus points to one entry of a token status list (Token Status List, 6.2).
type TokenStatus struct {
	Index uint64
	URI   string
}

// ParseTokenStatus reads the status claim of an SD-JWT VC, which must name a token status list and nothing else: a
// mechanism that is not understood could say "revoked". present is false where the claim is absent. Errors are *FieldError.
func ParseTokenStatus(claims map[string]any) (s TokenStatus, present bool, err error) {
	value, present := claims["status"]
	if !present {
		return s, false, nil
	}
	status, _ := value.(map[string]any)
	list, isObject := status["status_list"].(map[string]any)
	if !isObject || len(status) != 1 {
		return s, true, malformedAt("/status", "status_list and no other mechanism")
	}
	n, _ := list["idx"].(json.Number)
	if s.Index, err = strconv.ParseUint(n.String(), 10, 53); err != nil || n.String() != strconv.FormatUint(s.Index, 10) {
		return s, true, malformedAt("/status/status_list/idx", "a whole number")
	}
	s.URI, _ = list["uri"].(string)
	if !IsURL(s.URI) {
		return s, true, malformedAt("/status/status_list/uri", "the list's URL")
	}
	return s, true, nil
}

// ValidateVCClaims checks the claims of an SD-JWT VC (SD-JWT VC, 2.2.2) whose issuer is named by iss: the types of the
// registered claims, and that those which control its use were not withheld or disclosed (2.2.2.3). signed is what the
// issuer signed, with digests; claims is what the presentation reveals. It returns a *FieldError with the first value at
// fault. Whether the times are right is not checked, nor what status holds: that is ParseTokenStatus.
func ValidateVCClaims(signed, claims map[string]any) error {
	if _, present := claims["@context"]; present {
		return malformedAt("/@context", "no @context beside vct: the type decides how a token is read")
	}
	for _, name := range []string{"iss", "nbf", "exp", "iat", "jti", "cnf", "vct", "vct#integrity", "aka_vcts", "status"} {
		if !reflect.DeepEqual(signed[name], claims[name]) {
			return malformedAt("/"+name, "no disclosure in a claim that controls the credential's use")
		}
	}
	for _, name := range []string{"vct", "iss"} {
		if s, isString := claims[name].(string); !isString || s == "" || len(s) > 4096 {
			return malformedAt("/"+name, "a text")
		}
	}
	if !IsURL(claims["iss"].(string)) {
		return malformedAt("/iss", "the issuer's DID or URL")
	}
	if err := checkClaimTypes(claims); err != nil {
		return err
	}
	return CheckExactNumbers(claims)
}

// ValidateSelectiveCredential checks that what controls the use of a credential secured as an SD-JWT was neither withheld nor
// disclosed (VC-JOSE-COSE 1.0, 3.2.1): signed is what the issuer signed, with digests; claims is what the presentation
// reveals. It returns a *FieldError with the first member at fault. The data model is for ValidateCredential.
func ValidateSelectiveCredential(signed, claims map[string]any) error {
	for _, name := range []string{
		"@context", "type", "id", "issuer", "credentialStatus", "credentialSchema", "validFrom", "validUntil", "termsOfUse",
		"cnf", "iss", "iat", "nbf", "exp", "jti",
	} {
		if !reflect.DeepEqual(signed[name], claims[name]) {
			return malformedAt("/"+name, "no disclosure in a member that controls the credential's use")
		}
	}
	return nil
}

func checkClaimTypes(claims map[string]any) error {
	for _, name := range []string{"sub", "jti", "vct#integrity"} {
		value, present := claims[name]
		if s, _ := value.(string); present && s == "" {
			return malformedAt("/"+name, "a text")
		}
	}
	var dates [3]time.Time
	for i, name := range []string{"iat", "nbf", "exp"} {
		value, present := claims[name]
		if !present {
			continue
		}
		var err error
		if dates[i], err = ParseNumericDate(value); err != nil {
			return malformedAt("/"+name, "a whole number of seconds since 1970")
		}
	}
	if !dates[2].IsZero() && !dates[2].After(dates[1]) {
		return malformedAt("/exp", "an instant after nbf")
	}
	for _, name := range []string{"cnf", "status"} {
		if value, present := claims[name]; present {
			if _, isObject := value.(map[string]any); !isObject {
				return malformedAt("/"+name, "an object")
			}
		}
	}
	return nil
}
