//go:build crashpoints && unix

package crash_test

import (
	"fmt"
	"math/rand/v2"
	"slices"
	"strings"
	"testing"
	"time"

	"heartmark/issuer"
	"heartmark/issuer/oid4vci"
)

const (
	// randomRounds are killed from outside, 50 ms to 2 s after the server was ready.
	randomRounds = 5
	// reachIn is how long the load may take to pass the named point.
	reachIn = 20 * time.Second
	// readyIn is the promise P10, publishedIn the promise P5 (99 of 100 within 10 s).
	readyIn     = 10 * time.Second
	publishedIn = 10 * time.Second
)

// listPoints are the points at which a status list is published. Those of the engine that writes files are not among
// them: this engine inserts the next version in one transaction.
func listPoints() []string {
	return []string{"list.before_build", "list.after_sign", "list.before_rename", "list.after_rename"}
}

// rounds lists the points, each with the number of times that it is passed before the kill, and the random rounds as "".
func rounds() []string {
	var out []string
	for _, point := range slices.Concat(issuer.CrashPoints(), oid4vci.CrashPoints(), listPoints()) {
		n := 1 + rand.IntN(4)
		switch {
		case strings.HasPrefix(point, "outbox."):
			// The issuer passes it first and then, on the way to the log, the registry.
			out = append(out, point+":1")
			n = 2
		case point == "list.before_build":
			n = 3 // two purposes are looked at when the server starts, and again after the first revocation
		case strings.HasPrefix(point, "list."):
			n = 1 // a second version of a list waits for the publish delay
		}
		out = append(out, fmt.Sprintf("%s:%d", point, n))
	}
	for range randomRounds {
		out = append(out, "")
	}
	rand.Shuffle(len(out), func(i, j int) { out[i], out[j] = out[j], out[i] })
	return out
}

// TestKillLoop kills the server once a round. Whatever was acknowledged before must hold after, and what was not answered
// must be repeatable (security specification, section 8).
func TestKillLoop(t *testing.T) {
	s := install(t)
	d := newDriver(t, s)
	plan := rounds()
	if testing.Short() {
		plan = plan[:5]
	}
	for n, point := range plan {
		issued, revoked, wallets := d.counts()
		ran := d.killRound(n, point)
		start := time.Now()
		ready := d.checkRound(point)
		i, r, w := d.counts()
		if point == "" {
			point = "any time"
		}
		t.Logf("round %2d, killed at %-28s after %6s: acknowledged %3d issued, %3d revoked, %2d wallets; ready again in %s, checked in %s",
			n+1, point, ran.Round(time.Millisecond), i-issued, r-revoked, w-wallets,
			ready.Round(time.Millisecond), time.Since(start).Round(time.Millisecond))
		if t.Failed() {
			t.Fatalf("round %d, killed at %s: the server's log ends with:\n%s\nthe journal with:\n%s", n+1, point, s.logTail(), d.journal.tail())
		}
	}
	d.checkEnd()
	issued, revoked, wallets := d.counts()
	t.Logf("%d kills: %d credentials acknowledged, %d of them by wallets, %d revoked; %d indexes taken, %d of them by requests that came to nothing",
		len(plan), issued, wallets, revoked, len(d.places), d.wasted())
	if issued == 0 || revoked == 0 || wallets == 0 {
		t.Errorf("the load did not do its work: %d issued, %d revoked, %d by wallets", issued, revoked, wallets)
	}
}
