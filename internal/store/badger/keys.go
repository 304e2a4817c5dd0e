package badger

import (
	"crypto/sha256"
	"encoding/binary"
	"time"
)

// Every key of the store is built here. Its first byte names the part, its second the table; then come the columns in
// order. Texts are preceded by their length in two bytes, so that no text can run into the next column and a scan over
// one tenant meets no other; numbers are eight bytes big-endian, so that scans come in order.
//
//	part              table  columns                           value
//	m  meta           f                                        format of the store
//	                  s      name                              what the installation keeps for good: its origin, sealed secrets
//	k  keys           r      key id                            keys.Record
//	                  t      tenant, key id                    (nothing)
//	u  audit          e      time, number                      issuer.AuditEvent
//	i  issuer         e                                        epoch of the indexes
//	                  g      group                             group: size, permutation key, epoch, tenant
//	                  c      epoch, tenant                     current group
//	                  p      group, position                   intent id (an index once taken stays taken)
//	                  x      group, index                      intent id (unique: the second line of defence)
//	                  n      intent id                         issuer.Intent
//	                  q      intent id                         (nothing; the open intents)
//	                  d      tenant, idempotency key           intent id
//	                  r      tenant, credential id             issuer.Record
//	                  s      tenant, credential id             the sealed credential
//	                  l      tenant, time, credential id       (nothing; the order of listing)
//	                  f      tenant, report reference, credential id  (nothing)
//	                  b      group, purpose                    version and bits
//	                  o      time, number                      issuer.OutboxEvent
//	o  oid4vci        (see oid4vci.go)
//	r  registry       a      entity, id, version               registry.Authority
//	                  i      id                                entity
//	                  e      entity                            entity
//	                  x      resource                          resource
//	                  k      DID, method, version              registry.Key
//	                  d      DID                               DID
//	                  s      kind, name                        registry.Artefact
//	                  l      group, purpose, version           registry.ListVersion
//	                  t      group, purpose, time              version valid from then on
//	                  h      challenge id                      registry.StoredChallenge (dropped after a day)
//	                  o      time, leaf                        registry.Pending
//	                  p      leaf                              time of its entry under o
//	                  g      leaf                              index in the log
//	                  z                                        size of the log that is known to be marked
//	                  w      tenant, webhook id                webhooks.Subscription
//	                  f      tenant, webhook id, event         webhooks.Dead
//	a  assessment     (see assessment.go)
//	n  intake         (see intake.go)
//	g  models         t      number                            rollout.Transition
//	                  d      kind, model digest, name          a record about a model: counts and sums, no text, no person
//	p  api            (see replay.go)
//	w  training       (see training.go)
//	v  verifier       (see oid4vp.go)
//	e  review         (see review.go)
//	t  tenants        t      tenant                            schemas.Tenant
//	                  k      SHA-256 of an API key, hex        schemas.APIKey
const (
	partMeta       = 'm'
	partKeys       = 'k'
	partAudit      = 'u'
	partIssuer     = 'i'
	partOID4VCI    = 'o'
	partRegistry   = 'r'
	partAssessment = 'a'
	partIntake     = 'n'
	partModels     = 'g'
	partAPI        = 'p'
	partTraining   = 'w'
	partVerifier   = 'v'
	partReview     = 'e'
	partTenant     = 't'
)

// keyBuilder grows a key column by column.
type keyBuilder []byte

// table starts a key.
func table(part, name byte) keyBuilder { return keyBuilder{part, name} }

// maxText is the longest text that stands in a key as it is. Longer ones stand as their SHA-256.
const maxText = 512

// text appends a text column.
func (k keyBuilder) text(s string) keyBuilder {
	if len(s) > maxText {
		sum := sha256.Sum256([]byte(s))
		return append(append(k, 0xff, 0xff), sum[:]...)
	}
	k = binary.BigEndian.AppendUint16(k, uint16(len(s)))
	return append(k, s...)
}

// number appends a number column.
func (k keyBuilder) number(n uint64) keyBuilder { return binary.BigEndian.AppendUint64(k, n) }

// time appends a time column, in nanoseconds since 1970.
func (k keyBuilder) time(t time.Time) keyBuilder { return k.number(uint64(t.UnixNano())) }

// cut reads a text column from the front of a key's rest, for keys whose columns are wanted back. A text that was too
// long comes back as "".
func cut(rest []byte) (text string, after []byte) {
	if len(rest) < 2 {
		return "", nil
	}
	n := int(binary.BigEndian.Uint16(rest))
	if n == 0xffff || len(rest) < 2+n {
		return "", nil
	}
	return string(rest[2 : 2+n]), rest[2+n:]
}

func metaFormat() []byte { return table(partMeta, 'f') }

func keyRecord(id string) []byte           { return table(partKeys, 'r').text(id) }
func keyByTenant(tenant, id string) []byte { return table(partKeys, 't').text(tenant).text(id) }
func keyTenantPrefix(tenant string) []byte { return table(partKeys, 't').text(tenant) }

func epochKey() []byte             { return table(partIssuer, 'e') }
func groupKey(group string) []byte { return table(partIssuer, 'g').text(group) }
func groupsPrefix() []byte         { return table(partIssuer, 'g') }
func positionsPrefix(group string) []byte {
	return table(partIssuer, 'p').text(group)
}

func currentKey(epoch uint64, tenant string) []byte {
	return table(partIssuer, 'c').number(epoch).text(tenant)
}

func positionKey(group string, position uint64) []byte {
	return table(partIssuer, 'p').text(group).number(position)
}

func indexKey(group string, index uint64) []byte {
	return table(partIssuer, 'x').text(group).number(index)
}

func intentKey(id string) []byte               { return table(partIssuer, 'n').text(id) }
func openIntentKey(id string) []byte           { return table(partIssuer, 'q').text(id) }
func openIntentsPrefix() []byte                { return table(partIssuer, 'q') }
func idempotencyKey(tenant, key string) []byte { return table(partIssuer, 'd').text(tenant).text(key) }

func issuedKey(tenant, id string) []byte { return table(partIssuer, 'r').text(tenant).text(id) }

func sealedKey(tenant, id string) []byte { return table(partIssuer, 's').text(tenant).text(id) }
func listingPrefix(tenant string) []byte { return table(partIssuer, 'l').text(tenant) }
func statusListKey(group, purpose string) []byte {
	return table(partIssuer, 'b').text(group).text(purpose)
}

func listingKey(tenant string, at time.Time, id string) []byte {
	return table(partIssuer, 'l').text(tenant).time(at).text(id)
}

func ofReportPrefix(tenant, report string) []byte {
	return table(partIssuer, 'f').text(tenant).text(report)
}

func ofReportKey(tenant, report, id string) []byte {
	return table(partIssuer, 'f').text(tenant).text(report).text(id)
}

func outboxPrefix() []byte { return table(partIssuer, 'o') }
func auditPrefix() []byte  { return table(partAudit, 'e') }
