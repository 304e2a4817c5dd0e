package schemas

import (
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
)

// Kinds of log entries.
const (
	LogAuthority   = "authority"
	LogKey         = "key"
	LogSchema      = "schema"
	LogContext     = "context"
	LogAchievement = "achievement"
	LogFramework   = "framework"
	LogStatusList  = "status_list"
	// LogIssued is the entry of an issued credential: a salted commitment and nothing else.
	LogIssued = "issued"
)

// LogEntry is one statement in the transparency log.
type LogEntry struct {
	Kind string `json:"kind"`
	// Subject is what the statement is about: a DID, a key's id, the name of a schema. Empty for LogIssued.
	Subject string `json:"subject,omitempty"`
	// Digest is the statement's digest; for LogIssued the commitment, base64url without padding.
	Digest string `json:"digest,omitempty"`
	// Data is the statement itself, a JSON value. Empty for LogIssued.
	Data json.RawMessage `json:"data,omitempty"`
	// At is the RFC 3339 instant of the statement. Empty for LogIssued, so that the log does not tell when.
	At string `json:"at,omitempty"`
}

// IssuedEntry returns the log entry of an issued credential.
func IssuedEntry(commitment [32]byte) LogEntry {
	return LogEntry{Kind: LogIssued, Digest: base64.RawURLEncoding.EncodeToString(commitment[:])}
}

// Encode returns the leaf of e: canonical JSON (RFC 8785), the same bytes for the same statement always. An entry of
// kind LogIssued gives only {"commitment","kind"}, whatever else is set. Data that is not one well-formed JSON value
// is kept as the text it is, so that Encode loses nothing and never fails.
func (e LogEntry) Encode() []byte {
	if e.Kind == LogIssued {
		return mustCanonical(map[string]any{"kind": LogIssued, "commitment": e.Digest})
	}
	m := map[string]any{"kind": e.Kind}
	for name, value := range map[string]string{"subject": e.Subject, "digest": e.Digest, "at": e.At} {
		if value != "" {
			m[name] = value
		}
	}
	if len(e.Data) > 0 {
		m["data"] = string(e.Data)
		if data, err := ParseJSON(e.Data); err == nil && hasCanonicalForm(data) {
			m["data"] = data
		}
	}
	return mustCanonical(m)
}

// hasCanonicalForm is false for what RFC 8785 cannot write, such as a number beyond a double.
func hasCanonicalForm(v any) bool {
	_, err := CanonicalJSON(v)
	return err == nil
}

// mustCanonical encodes values that this package built itself, which cannot fail unless a text is not UTF-8.
func mustCanonical(m map[string]any) []byte {
	for name, value := range m {
		if s, ok := value.(string); ok {
			m[name] = strings.ToValidUTF8(s, "\uFFFD")
		}
	}
	data, err := CanonicalJSON(m)
	if err != nil {
		panic(fmt.Sprintf("schemas: log entry has no canonical form: %v", err))
	}
	return data
}

// IssuedCommitment returns the log's commitment to an issued credential: SHA-256 over the parts joined by a zero byte.
// The credential's random id is the salt, so the commitment tells nothing to who does not hold the credential.
// validFrom and validUntil are the texts as they stand in the credential.
func IssuedCommitment(id CredentialID, issuer, validFrom, validUntil string, group ListGroup, index uint64) [32]byte {
	return sha256.Sum256([]byte(strings.Join([]string{
		"heartmark/issued/v1", string(id), issuer, validFrom, validUntil, string(group), strconv.FormatUint(index, 10),
	}, "\x00")))
}

// LogProof shows that an entry stands in the log.
type LogProof struct {
	// Index is the entry's place, from 0.
	Index uint64 `json:"index"`
	// Proof is the inclusion proof: hashes from leaf to root, standard base64 (RFC 6962, section 2.1.1).
	Proof []string `json:"proof"`
	// Checkpoint is the signed note over the tree of TreeSize entries.
	Checkpoint string `json:"checkpoint"`
	TreeSize   uint64 `json:"tree_size"`
}
