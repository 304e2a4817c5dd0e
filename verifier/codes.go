package verifier

import "strings"

// Problem types of the specifications that a problem of ours falls under.
const (
	typeParsing      = "https://www.w3.org/TR/vc-data-model#PARSING_ERROR"
	typeCrypto       = "https://www.w3.org/TR/vc-data-model#CRYPTOGRAPHIC_SECURITY_ERROR"
	typeMalformed    = "https://www.w3.org/TR/vc-data-model#MALFORMED_VALUE_ERROR"
	typeRange        = "https://www.w3.org/TR/vc-data-model#RANGE_ERROR"
	typeProof        = "https://w3id.org/security#PROOF_VERIFICATION_ERROR"
	typeTransform    = "https://w3id.org/security#PROOF_TRANSFORMATION_ERROR"
	typeDomain       = "https://w3id.org/security#INVALID_DOMAIN_ERROR"
	typeChallenge    = "https://w3id.org/security#INVALID_CHALLENGE_ERROR"
	typeRetrieval    = "https://www.w3.org/ns/credentials/status-list#STATUS_RETRIEVAL_ERROR"
	typeStatusVerify = "https://www.w3.org/ns/credentials/status-list#STATUS_VERIFICATION_ERROR"
	typeListLength   = "https://www.w3.org/ns/credentials/status-list#STATUS_LIST_LENGTH_ERROR"
	typeOwn          = "own" // stands for Config.ProblemBase and the code in kebab case
	typeNone         = ""
)

// CodeInfo describes one code, so that texts in other languages can be made for all of them.
type CodeInfo struct {
	Code    string
	Check   CheckID
	Outcome Outcome
	// Type is the specification's problem type; "own" for one of ours; empty where there is no problem.
	Type string
	// Detail is the English text without the particulars of a case.
	Detail string
}

// The codes that the code of this package gives outside the table's regular ones.
const (
	codePresentationUnsecured = "presentation_unsecured"
)

// Codes returns the table of all codes, by check.
func Codes() []CodeInfo {
	out := []CodeInfo{
		{"parse_ok", CheckParse, Pass, typeNone, "the input was read"},
		{"parse_malformed", CheckParse, Fail, typeParsing, "the input is not well-formed JSON"},
		{"parse_no_type", CheckParse, Fail, typeParsing, "the input is neither a credential nor a presentation"},
		{"parse_kind", CheckParse, Fail, typeParsing, "the input is not of the kind its media type says"},
		{"parse_token", CheckParse, Fail, typeParsing, "the input is not a well-formed token"},
		{"parse_enveloped", CheckParse, Fail, typeParsing, "the enveloped credential is of a form that is not taken"},
		{"parse_too_large", CheckParse, Fail, typeParsing, "the input is too large"},

		{"model_ok", CheckModel, Pass, typeNone, "the document follows the data model"},
		{"model_malformed", CheckModel, Fail, typeMalformed, "a value does not follow the data model"},
		{"model_context_refused", CheckModel, Fail, typeMalformed, "the contexts are not in an accepted form"},
		{"model_context_unknown", CheckModel, NotDetermined, typeOwn, "a context is not among those at hand"},
		{"model_token_claim", CheckModel, Fail, typeMalformed, "a claim of the token has no place in it, or says otherwise than the credential"},
		{"model_empty", CheckModel, Fail, typeMalformed, "the presentation holds no credential"},
		{"model_too_many", CheckModel, Fail, typeMalformed, "the presentation holds too many credentials"},

		{"proof_ok", CheckProof, Pass, typeNone, "the signature is good"},
		{"proof_missing", CheckProof, Fail, typeProof, "there is no proof"},
		{"proof_malformed", CheckProof, Fail, typeParsing, "the proof is malformed"},
		{"proof_algorithm", CheckProof, Fail, typeProof, "the token's algorithm is not allowed"},
		{"proof_disclosures", CheckProof, Fail, typeCrypto, "the disclosures do not fit what was signed"},
		{"proof_invalid", CheckProof, Fail, typeCrypto, "the signature does not fit the document"},
		{"proof_too_many", CheckProof, Fail, typeProof, "there are too many proofs"},
		{"proof_chain", CheckProof, Fail, typeProof, "the chain of proofs names a proof that is not there, or itself"},
		{"proof_created", CheckProof, Fail, typeProof, "the proof is dated in the future"},
		{"proof_expired", CheckProof, Fail, typeProof, "the proof has expired"},
		{"proof_undefined_term", CheckProof, Fail, typeTransform, "a term is defined by no context, so that it would not be signed"},
		{"proof_budget", CheckProof, Fail, typeTransform, "the document is too costly to bring into its canonical form"},
		{"proof_transformation", CheckProof, Fail, typeTransform, "the document has no canonical form"},
		{"proof_suite_unknown", CheckProof, NotDetermined, typeOwn, "the cryptographic suite is unknown"},
		{"proof_suite_mismatch", CheckProof, Fail, typeProof, "the cryptographic suite does not fit the key"},
		{"proof_key_unknown", CheckProof, Fail, typeProof, "the signer's document has no such key"},
		{"proof_key_unavailable", CheckProof, NotDetermined, typeOwn, "the signer's key could not be had"},
		{"proof_key_not_looked_up", CheckProof, Skipped, typeOwn, "the signer's key was not looked up, since its owner is not known here"},
		{codePresentationUnsecured, CheckProof, Skipped, typeOwn, "the presentation has no proof; it is only a container"},

		{"purpose_ok", CheckPurpose, Pass, typeNone, "the key may be used for this"},
		{"purpose_none", CheckPurpose, NotApplicable, typeNone, "there is no proof that could have a purpose"},
		{"purpose_wrong", CheckPurpose, Fail, typeProof, "the proof was made for another purpose"},
		{"purpose_not_listed", CheckPurpose, Fail, typeProof, "the owner does not list the key for this purpose"},

		{"issuer_binding_ok", CheckIssuerBinding, Pass, typeNone, "the key belongs to the one named"},
		{"issuer_binding_none", CheckIssuerBinding, NotApplicable, typeNone, "nobody is named whom the key could belong to"},
		{"issuer_binding_mismatch", CheckIssuerBinding, Fail, typeCrypto, "the key belongs to another than the one named"},

		{"period_ok", CheckPeriod, Pass, typeNone, "within the period of validity"},
		{"period_early", CheckPeriod, Fail, typeOwn, "not valid yet"},
		{"period_expired", CheckPeriod, Fail, typeOwn, "expired"},
		{"period_malformed", CheckPeriod, Fail, typeMalformed, "a date cannot be read"},

		{"status_none", CheckStatus, NotApplicable, typeNone, "the credential names no status"},
		{"status_ok", CheckStatus, Pass, typeNone, "the status is not set"},
		{"status_revoked", CheckStatus, Fail, typeOwn, "revoked by its issuer"},
		{"status_suspended", CheckStatus, Fail, typeOwn, "suspended by its issuer"},
		{"status_refresh", CheckStatus, Pass, typeNone, "good, and a newer version can be had"},
		{"status_message", CheckStatus, Pass, typeNone, "the issuer left a message"},
		{"status_purpose_unknown", CheckStatus, NotDetermined, typeOwn, "the status is set for a purpose that is not understood"},
		{"status_retrieval", CheckStatus, NotDetermined, typeRetrieval, "the status list could not be had"},
		{"status_stale", CheckStatus, NotDetermined, typeRetrieval, "the status list at hand is too old, and a newer one could not be had"},
		{"status_verification", CheckStatus, NotDetermined, typeStatusVerify, "the status list cannot be trusted"},
		{"status_list_length", CheckStatus, NotDetermined, typeListLength, "the status list is too short to protect its holders"},
		{"status_range", CheckStatus, NotDetermined, typeRange, "the index is not in the status list"},
		{"status_malformed", CheckStatus, NotDetermined, typeMalformed, "the status entry or its list is malformed"},
		{"status_type_unknown", CheckStatus, NotDetermined, typeOwn, "the status entry is of an unknown type"},

		{"schema_none", CheckSchema, NotApplicable, typeNone, "the credential names no schema"},
		{"schema_ok", CheckSchema, Pass, typeNone, "the credential fits its schema"},
		{"schema_violated", CheckSchema, Fail, typeMalformed, "the credential does not fit its schema"},
		{"schema_digest", CheckSchema, Fail, typeCrypto, "the schema is not the one the credential names by digest"},
		{"schema_unknown", CheckSchema, NotDetermined, typeOwn, "the schema is not among those at hand"},

		{"authority_ok", CheckAuthority, Pass, typeNone, "the issuer is authorised"},
		{"authority_unknown", CheckAuthority, Fail, typeOwn, "the issuer is unknown to every configured registry"},
		{"authority_not_authorized", CheckAuthority, Fail, typeOwn, "the issuer is not authorised for this kind of credential"},
		{"authority_inactive", CheckAuthority, Fail, typeOwn, "the issuer's authority is not active"},
		{"authority_unavailable", CheckAuthority, NotDetermined, typeOwn, "no registry could be asked"},

		{"key_interval_ok", CheckKeyInterval, Pass, typeNone, "signed while the key was in use"},
		{"key_interval_none", CheckKeyInterval, NotApplicable, typeNone, "the key is its own identifier and has no recorded life"},
		{"key_interval_outside", CheckKeyInterval, Fail, typeOwn, "signed outside the time in which the key was in use"},
		{"key_interval_revoked", CheckKeyInterval, Fail, typeOwn, "the key was revoked"},
		{"key_interval_unknown", CheckKeyInterval, NotDetermined, typeOwn, "nothing is recorded about the life of the key"},
		{"key_interval_unavailable", CheckKeyInterval, NotDetermined, typeOwn, "the record of keys could not be read"},

		{"log_inclusion_not_asked", CheckLogInclusion, NotApplicable, typeNone, "inclusion in the log was not asked for"},
		{"log_inclusion_ok", CheckLogInclusion, Pass, typeNone, "the credential stands in the log"},
		{"log_inclusion_missing", CheckLogInclusion, NotDetermined, typeOwn, "no log proof came with the credential"},
		{"log_inclusion_mismatch", CheckLogInclusion, Fail, typeOwn, "the log proof does not show this credential"},
		{"log_inclusion_unavailable", CheckLogInclusion, NotDetermined, typeOwn, "the log proof could not be checked"},

		{"holder_binding_none", CheckHolderBinding, NotApplicable, typeNone, "shown by itself, not in a presentation"},
		{"holder_binding_ok", CheckHolderBinding, Pass, typeNone, "presented by the one it was issued to"},
		{"holder_binding_absent", CheckHolderBinding, NotDetermined, typeOwn, "nothing ties the presenter to the credential"},
		{"holder_binding_mismatch", CheckHolderBinding, Fail, typeOwn, "presented by another than the one it was issued to"},

		{"holder_binding_demanded", CheckHolderBinding, Fail, typeOwn, "the policy wants it presented by its holder"},
		{"holder_binding_key", CheckHolderBinding, Fail, typeMalformed, "the credential does not hold the key of its holder"},
		{"holder_binding_invalid", CheckHolderBinding, Fail, typeCrypto, "the holder's signature does not fit what is presented"},

		{"replay_none", CheckReplay, NotApplicable, typeNone, "no challenge or domain was asked for or given"},
		{"replay_ok", CheckReplay, Pass, typeNone, "made for this exchange"},
		{"replay_challenge", CheckReplay, Fail, typeChallenge, "the challenge is missing or not the one given"},
		{"replay_stale", CheckReplay, Fail, typeOwn, "the presentation was made too long ago, or in the future"},
		{"replay_domain", CheckReplay, Fail, typeDomain, "the domain is missing or not the one given"},

		{"related_resource_none", CheckRelatedResource, NotApplicable, typeNone, "no related resource is named, or none is used here"},
		{"related_resource_ok", CheckRelatedResource, Pass, typeNone, "the related resource is the one named by digest"},
		{"related_resource_digest", CheckRelatedResource, Fail, typeCrypto, "the related resource is not the one named by digest"},
		{"related_resource_malformed", CheckRelatedResource, Fail, typeMalformed, "a related resource is named twice or without a digest that can be read"},

		{"inner_none", CheckInner, NotApplicable, typeNone, "no credential lies inside"},
		{"inner_ok", CheckInner, Pass, typeNone, "the credential inside is valid"},
		{"inner_invalid", CheckInner, Fail, typeOwn, "the credential inside is not valid"},
		{"inner_undetermined", CheckInner, NotDetermined, typeOwn, "whether the credential inside is valid could not be determined"},

		{"query_none", CheckQuery, NotApplicable, typeNone, "no request was to be satisfied"},
		{"query_ok", CheckQuery, Pass, typeNone, "it shows what was asked for"},
		{"policy_accepted", CheckQuery, Pass, typeNone, "it is what the policy takes"},
		{"policy_refused", CheckQuery, Fail, typeOwn, "it is not what the policy takes"},
		{"query_unsatisfied", CheckQuery, Fail, typeOwn, "it does not show what was asked for"},
	}
	for _, id := range CheckIDs() {
		out = append(out,
			CodeInfo{notChecked(id), id, Skipped, typeOwn, "not checked, because an earlier check did not pass or could not be made"},
			CodeInfo{byPolicy(id), id, Skipped, typeNone, "not checked, because the policy does not ask for it"})
	}
	for _, id := range insideOnly() {
		out = append(out, CodeInfo{askedInside(id), id, NotApplicable, typeNone, "asked of each credential inside"})
	}
	return out
}

// insideOnly are the checks that a presentation leaves to its credentials.
func insideOnly() []CheckID {
	return []CheckID{CheckPeriod, CheckStatus, CheckSchema, CheckAuthority, CheckKeyInterval, CheckLogInclusion, CheckRelatedResource}
}

func askedInside(id CheckID) string { return string(id) + "_inside" }

func notChecked(id CheckID) string { return string(id) + "_not_checked" }
func byPolicy(id CheckID) string   { return string(id) + "_by_policy" }

// problemType returns the type of a code under base, which ends in a slash.
func (c CodeInfo) problemType(base string) string {
	if c.Type != typeOwn {
		return c.Type
	}
	return base + strings.ReplaceAll(c.Code, "_", "-")
}
