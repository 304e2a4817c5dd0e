package schemas

// LevelClaim is one level that a report vouches for.
type LevelClaim struct {
	Dimension Dimension `json:"dimension"`
	Level     Level     `json:"level"`
	// Confidence is the probability with which at least this level was reached: two decimals, "0.93".
	Confidence string `json:"confidence"`
}

// Attestation is all that an issuer may know of an assessment report: levels that can be certified, how they were
// reached, and digests in place of text. It holds no score, no quote and no message.
type Attestation struct {
	ReportID string `json:"report_id"`
	// SubjectRef is the tenant's pseudonym of the subject. It is not written into a credential.
	SubjectRef string       `json:"subject_ref"`
	Levels     []LevelClaim `json:"levels"`
	// Method and Model are identifiers; ModelDigest is the SHA-256 of the model ("sha256:" and hex, or the hex alone).
	Method      string `json:"method"`
	Model       string `json:"model"`
	ModelDigest string `json:"model_digest"`
	// Scale names the scale version; a provisional scale says so in its name.
	Scale string `json:"scale"`
	// WindowStart and WindowEnd are days, 2006-01-02, the first and last of the evidence.
	WindowStart string `json:"window_start"`
	WindowEnd   string `json:"window_end"`
	// Languages are language tags of the evidence; Platforms are the DIDs of those that submitted it.
	Languages []string `json:"languages"`
	Platforms []string `json:"platforms,omitempty"`
	// BatchDigests are salted SHA-256 digests of evidence batches, in the same forms as ModelDigest.
	BatchDigests   []string `json:"batch_digests,omitempty"`
	ConsentVersion string   `json:"consent_version"`
	Purposes       []string `json:"purposes"`
	Audience       []string `json:"audience,omitempty"`
	// Review is ReviewBeforeIssue or ReviewOnRequest.
	Review string `json:"review"`
}
