package offline

import (
	"time"

	"heartmark/schemas/trust"
	"heartmark/verifier"
)

// Policy is the name of the policy under which a snapshot is used: the closed one, except that a status list may be used
// for as long as a snapshot lives, and never past the list's own validUntil. Under verifier.DefaultPolicy a list counts
// for its ttl alone (5 minutes), which suits a snapshot that was just made.
const Policy = "offline"

// Policies returns the policies that a verifier on a snapshot knows beside the default one.
func Policies() []verifier.Policy {
	return []verifier.Policy{{Name: Policy, Version: "1", Skew: time.Minute, MaxStale: trust.SnapshotLife}}
}
