package rollout

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
)

// Codes of what a promotion may lack.
const (
	UnmetLink       = "link"            // no linking record with the current model
	UnmetShadow     = "shadow"          // too few messages scored by both
	UnmetEvaluation = "evaluation"      // no report, or one of another model
	UnmetGates      = "evaluation_gate" // the report has gates that are not met
)

// Unmet is one thing that a promotion lacks.
type Unmet struct {
	Code string
	Text string
}

// UnmetError is returned for a promotion that lacks something and is not overridden.
type UnmetError struct {
	Model string
	Unmet []Unmet
}

// Error names everything that is lacking.
func (e *UnmetError) Error() string {
	texts := make([]string, len(e.Unmet))
	for n, u := range e.Unmet {
		texts[n] = u.Text
	}
	return fmt.Sprintf("promote %s: %s", e.Model, strings.Join(texts, "; "))
}

// Promotion asks for a model to become the current one.
type Promotion struct {
	Actor  string
	Name   string
	Reason string
	// Evaluation is the report of `heartmark evaluate` on this model; nil for none.
	Evaluation *Evaluation
	// Override promotes although something is lacking. Reason is required then, and what was lacking is recorded. Nothing
	// overrides a model that does not load.
	Override bool
}

// Promoted tells what a promotion did.
type Promoted struct {
	Model    Entry
	Replaced Entry
	Scale    string // that reports are on from now on
	NewScale bool   // the link is not the identity
	Grounds  Grounds
}

// Promote makes a model the current one from the next start on. It returns an *UnmetError where something is lacking.
func (c *Catalogue) Promote(ctx context.Context, p Promotion) (Promoted, error) {
	l, err := c.ledger(ctx)
	if err != nil {
		return Promoted{}, err
	}
	e, err := l.find(p.Name)
	if err != nil {
		return Promoted{}, err
	}
	old := l.current()
	if e == old {
		return Promoted{}, fmt.Errorf("promote %s: %w: it is the current model", e.Name(), ErrState)
	}
	if _, err := c.Load(ctx, e.Model); err != nil {
		return Promoted{}, err
	}
	grounds, link, unmet, err := c.grounds(ctx, e, old, p.Evaluation)
	if err != nil {
		return Promoted{}, err
	}
	if len(unmet) > 0 {
		if !p.Override {
			return Promoted{}, &UnmetError{Model: e.Name(), Unmet: unmet}
		}
		if strings.TrimSpace(p.Reason) == "" {
			return Promoted{}, fmt.Errorf("promote %s although it lacks something: %w", e.Name(), ErrReason)
		}
		for _, u := range unmet {
			grounds.Unmet = append(grounds.Unmet, u.Code)
		}
	}
	scale, fresh := nextScale(l, e, old, link)
	replaced := Transition{
		Actor: p.Actor, Act: ActPromote, Model: old.Digest, From: old.State, To: StateRetired,
		Reason: "replaced by " + e.Name(), Details: c.details(old), Scale: old.RunsAs,
	}
	promoted := Transition{
		Actor: p.Actor, Act: ActPromote, Model: e.Digest, From: e.State, To: StateCurrent,
		Reason: p.Reason, Details: c.details(e), Grounds: &grounds, Scale: scale,
	}
	// The model that leaves stands first in the list, the one that comes in the journal.
	if err := c.actOn(ctx, l, e, AuditPromote, promotionDetail(p, grounds, scale), replaced, promoted); err != nil {
		return Promoted{}, err
	}
	return Promoted{Model: *e, Replaced: *old, Scale: scale, NewScale: fresh, Grounds: grounds}, nil
}

func promotionDetail(p Promotion, g Grounds, scale string) string {
	detail := "scale " + scale
	if len(g.Unmet) > 0 {
		detail += ", overridden " + strings.Join(g.Unmet, " ")
	}
	if p.Reason != "" {
		detail += ": " + p.Reason
	}
	return detail
}

// grounds collects what the promotion of e in the place of old rests on.
func (c *Catalogue) grounds(ctx context.Context, e, old *Entry, evaluation *Evaluation) (g Grounds, link *Link, unmet []Unmet, err error) {
	lack := func(code, format string, args ...any) {
		unmet = append(unmet, Unmet{code, fmt.Sprintf(format, args...)})
	}
	var l Link
	data, err := c.document(ctx, DocumentKey{KindLink, e.Digest, string(old.Digest)}, &l)
	switch {
	case err == nil:
		sum := sha256.Sum256(data)
		g.Link, link = hex.EncodeToString(sum[:]), &l
	case errors.Is(err, ErrNotFound):
		lack(UnmetLink, "it is not linked with %s", old.Name())
	default:
		return g, nil, nil, err
	}
	comparison, err := c.Comparison(ctx, e.Digest, old.Digest)
	if err != nil {
		return g, nil, nil, err
	}
	if g.Shadowed = comparison.Messages; g.Shadowed < c.c.Policy.MinShadowed {
		lack(UnmetShadow, "%d messages were scored beside %s, %d are needed", g.Shadowed, old.Name(), c.c.Policy.MinShadowed)
	}
	switch {
	case evaluation == nil:
		lack(UnmetEvaluation, "there is no evaluation report")
	case evaluation.SHA256 != e.SHA256 || evaluation.ID != e.ID:
		lack(UnmetEvaluation, "the evaluation report is of %s with %s, not of this model", evaluation.ID, evaluation.SHA256)
	default:
		g.Evaluation = evaluation.Digest
		if !evaluation.Whole {
			lack(UnmetEvaluation, "the evaluation report is of a part of the suites or of the rows")
		}
		if len(evaluation.Failed) > 0 {
			lack(UnmetGates, "%d of %d gates are not met: %s", len(evaluation.Failed), evaluation.Gates, strings.Join(evaluation.Failed, ", "))
		}
	}
	return g, link, unmet, nil
}

// Rollback makes the model that was current before the present one current again, on the scale that it had.
func (c *Catalogue) Rollback(ctx context.Context, actor, reason string) (Promoted, error) {
	if strings.TrimSpace(reason) == "" {
		return Promoted{}, fmt.Errorf("roll back: %w", ErrReason)
	}
	l, err := c.ledger(ctx)
	if err != nil {
		return Promoted{}, err
	}
	if len(l.reigns) < 2 {
		return Promoted{}, fmt.Errorf("roll back: %w: no model was promoted", ErrState)
	}
	present, previous := l.current(), l.entries[l.reigns[len(l.reigns)-2]]
	if previous.State == StateRemoved {
		return Promoted{}, fmt.Errorf("roll back to %s: %w: it was removed, or was built into an earlier program; promote another model", previous.Name(), ErrState)
	}
	if _, err := c.Load(ctx, previous.Model); err != nil {
		return Promoted{}, err
	}
	leaves := Transition{
		Actor: actor, Act: ActRollback, Model: present.Digest, From: present.State, To: StateRetired, Reason: reason, Details: c.details(present),
	}
	returns := Transition{
		Actor: actor, Act: ActRollback, Model: previous.Digest, From: previous.State, To: StateCurrent, Reason: reason,
		Details: c.details(previous), Scale: previous.RunsAs,
	}
	if err := c.actOn(ctx, l, previous, AuditRollback, reason, leaves, returns); err != nil {
		return Promoted{}, err
	}
	return Promoted{Model: *previous, Replaced: *present, Scale: previous.RunsAs}, nil
}

// nextScale is the scale version that e reports on in the place of old. Without a link nothing tells that the scale is the
// same, so it is a new one.
func nextScale(l *ledger, e, old *Entry, link *Link) (scale string, fresh bool) {
	if e.Scale != old.Scale && !slices.Contains(l.scales, e.Scale) {
		return e.Scale, true // its files declare a scale of their own
	}
	if link != nil && link.Identity() {
		return old.RunsAs, false
	}
	highest := 0
	for _, s := range append(slices.Clone(l.scales), e.Scale) {
		if n, _, ok := parseScale(s); ok {
			highest = max(highest, n)
		}
	}
	_, rest, ok := parseScale(e.Scale)
	if !ok {
		rest = "-provisional"
	}
	return "v" + strconv.Itoa(highest+1) + rest, true
}

var scaleForm = regexp.MustCompile(`^v(\d{1,6})(.*)$`)

func parseScale(s string) (number int, rest string, ok bool) {
	part := scaleForm.FindStringSubmatch(s)
	if part == nil {
		return 0, "", false
	}
	number, err := strconv.Atoi(part[1])
	return number, part[2], err == nil
}
