package schemas

// CredentialID names one issued credential: "urn:uuid:" and a random (version 4) UUID.
type CredentialID string

// KeyID names one signing key of this installation.
type KeyID string

// ListGroup names a group of status lists (revocation, suspension, token) that share one index space.
type ListGroup string

// Addresses and names that every DEI credential carries.
const (
	// ContextV2 is the base context of VC Data Model 2.0, always first.
	ContextV2 = "https://www.w3.org/ns/credentials/v2"
	// ContextV1 is the base context of VC Data Model 1.1, which is read and never written.
	ContextV1 = "https://www.w3.org/2018/credentials/v1"
	// ContextOpenBadges is the Open Badges 3.0 context, second in a badge.
	ContextOpenBadges = "https://purl.imsglobal.org/spec/ob/v3p0/context-3.0.3.json"
	// ContextDEIPath is the path, below any origin, at which the DEI context is served.
	ContextDEIPath = "/contexts/dei/v1"
	// ContextRegistryPath is the path, below any origin, at which the context of accreditation credentials is served.
	ContextRegistryPath = "/contexts/registry/v1"
	// SchemaDEIPath is the path, below any origin, at which the JSON Schema of DEI credentials is served.
	SchemaDEIPath = "/schemas/dei/v1"
	// VCTypeDEIPath is the path, below any origin, of the vct of DEI credentials as SD-JWT VC.
	VCTypeDEIPath = "/vct/dei/v1"
	// SchemaDEI is the name of that schema in the registry and in SchemaDigestSRI.
	SchemaDEI = "dei/v1"
	// VocabularyDEI is the namespace of the DEI terms. It names them; nothing is ever fetched from it.
	VocabularyDEI = "https://w3id.org/heartmark/dei#"
)

// Type names used in credentials.
const (
	TypeVerifiableCredential   = "VerifiableCredential"
	TypeVerifiablePresentation = "VerifiablePresentation"
	TypeOpenBadgeCredential    = "OpenBadgeCredential"
	// TypeAchievementCredential is the alias that Open Badges allows for TypeOpenBadgeCredential; read, never written.
	TypeAchievementCredential = "AchievementCredential"
	TypeStatusEntry           = "BitstringStatusListEntry"
	TypeJSONSchema            = "JsonSchema"
	TypeDEIAssessment         = "DEIAssessment"
	TypeDEITermsOfUse         = "DEITermsOfUse"
)

// Status purposes that this project writes.
const (
	// PurposeToken is the last part of the address of the Token Status List twin of a group's lists; no entry names it.
	PurposeToken      = "token"
	PurposeRevocation = "revocation"
	PurposeSuspension = "suspension"
)

// Review policies of an attestation (how a person looks at an automated result).
const (
	ReviewBeforeIssue = "before-issue"
	ReviewOnRequest   = "on-request"
)
