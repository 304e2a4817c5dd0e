package review_test

import (
	"errors"
	"math"
	"slices"
	"testing"
	"time"

	"heartmark/assessment/review"
	"heartmark/schemas"
)

// TestSEC_185_NoReleaseWithoutAReviewer: under before-issue nothing is released until an allowed person has signed, and a refused
// level never is.
func TestSEC_185_NoReleaseWithoutAReviewer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	w.report("r1")
	if got := w.state("r1"); got != review.StateAwaiting {
		t.Errorf("a fresh report is %s", got)
	}
	c, err := w.service.Open(ctx, platform, "r1", "")
	if err != nil || len(c.Dimensions) != 2 || !slices.Equal(c.Why, []string{review.WhyPolicy}) {
		t.Fatalf("Open = %+v, %v", c, err)
	}
	if again, err := w.service.Open(ctx, platform, "r1", ""); err != nil || again.ID != c.ID {
		t.Errorf("Open again = %+v, %v", again, err)
	}
	d := review.Decision{
		Verdicts: map[schemas.Dimension]string{schemas.DimensionSocialAwareness: review.Release, schemas.DimensionSocialSkills: review.Refuse},
		Reason:   "the second level rests on one passage",
	}
	if _, err := w.service.Decide(ctx, as("ann"), c.ID, d, w.sign("ann", c.ID, d)); !errors.Is(err, review.ErrReviewer) {
		t.Errorf("decided without taking it: %v", err)
	}
	for who, want := range map[string]error{"script": review.ErrReviewer, "platform": review.ErrReviewer, "u7": review.ErrConflict} {
		if _, err := w.service.Take(ctx, as(who), c.ID); !errors.Is(err, want) {
			t.Errorf("Take by %s: %v, want %v", who, err, want)
		}
	}
	if _, err := w.service.Take(ctx, as("ann"), c.ID); err != nil {
		t.Fatal(err)
	}
	if _, err := w.service.Take(ctx, as("ben"), c.ID); !errors.Is(err, review.ErrState) {
		t.Errorf("taken twice: %v", err)
	}
	less := review.Decision{Verdicts: map[schemas.Dimension]string{schemas.DimensionSocialSkills: review.Release}, Reason: d.Reason}
	short := review.Decision{Verdicts: d.Verdicts, Reason: "ok"}
	strange := review.Decision{Verdicts: d.Verdicts, Reason: d.Reason, Marks: []review.Mark{{Message: "m9", Facet: "SO1", Label: review.Agree}}}
	for name, tc := range map[string]struct {
		d         review.Decision
		signature string
		want      error
	}{
		"unsigned":             {d, "", review.ErrSignature},
		"by another's key":     {d, w.sign("ben", c.ID, d), review.ErrSignature},
		"of another decision":  {d, w.sign("ann", c.ID, less), review.ErrSignature},
		"of another case":      {d, w.sign("ann", "c0", d), review.ErrSignature},
		"a dimension left out": {less, w.sign("ann", c.ID, less), schemas.ErrMalformed},
		"no reason":            {short, w.sign("ann", c.ID, short), schemas.ErrMalformed},
		"a mark on nothing":    {strange, w.sign("ann", c.ID, strange), schemas.ErrMalformed},
	} {
		if _, err := w.service.Decide(ctx, as("ann"), c.ID, tc.d, tc.signature); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	if got := w.state("r1"); got != review.StateAwaiting {
		t.Errorf("after refused decisions the report is %s", got)
	}
	if _, err := w.service.Decide(ctx, as("ann"), c.ID, d, w.sign("ann", c.ID, d)); err != nil {
		t.Fatal(err)
	}
	now, err := w.service.Standing(ctx, tenant, "r1")
	if err != nil || !slices.Equal(now.Released, []schemas.Dimension{schemas.DimensionSocialAwareness}) ||
		!slices.Equal(now.Refused, []schemas.Dimension{schemas.DimensionSocialSkills}) || w.state("r1") != review.StateReleased {
		t.Errorf("Standing = %+v, %v", now, err)
	}
	if len(w.acts) != 0 {
		t.Errorf("a release touched credentials: %v", w.acts)
	}
	if _, err := w.service.Decide(ctx, as("ann"), c.ID, d, w.sign("ann", c.ID, d)); !errors.Is(err, review.ErrState) {
		t.Errorf("decided twice: %v", err)
	}
	if _, err := w.service.Open(ctx, platform, "r1", ""); !errors.Is(err, review.ErrNothing) {
		t.Errorf("Open with nothing left: %v", err)
	}
	for _, want := range []string{"review.open k-platform", "review.take k-ann", "review.decide k-ann"} {
		if !slices.Contains(w.audit, want) {
			t.Errorf("audit trail lacks %q: %v", want, w.audit)
		}
	}
}

// Under on-request only what is near a border waits.
func TestOnRequest(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.policy.Review = schemas.ReviewOnRequest
	w.report("r1", "automated")
	c, err := w.service.Open(t.Context(), platform, "r1", "")
	if err != nil || !slices.Equal(c.Dimensions, []schemas.Dimension{schemas.DimensionSocialSkills}) || !slices.Equal(c.Why, []string{review.WhyBorder}) {
		t.Errorf("Open = %+v, %v", c, err)
	}
	w.report("r2", "automated")
	if c, err := w.service.Open(t.Context(), platform, "r2", schemas.ReviewBeforeIssue); err != nil || len(c.Dimensions) != 2 || !slices.Equal(c.Why, []string{review.WhyPolicy}) {
		t.Errorf("Open where a configuration asks for review before = %+v, %v", c, err)
	}
}

// TestSEC_187_Contest: suspended while open, decided by another person, then restored or revoked.
func TestSEC_187_Contest(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct{ verdict, act, state string }{
		{review.Release, "restore r1", review.StateReleased},
		{review.Refuse, "revoke r1", review.StateRefused},
	} {
		w := newWorld(t)
		ctx := t.Context()
		w.report("r1")
		first, err := w.service.Open(ctx, platform, "r1", "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.decide("ann", first.ID, review.Release); err != nil {
			t.Fatal(err)
		}
		o := review.Objection{Subject: "u7", Report: "r1", Statement: "m2 was irony", Proof: "did:key:u7 contest u7"}
		c, err := w.service.Contest(ctx, platform, o)
		if err != nil || len(c.Dimensions) != 2 || !c.Due.Equal(w.clock.Now().Add(14*24*time.Hour)) || !c.Words.Own {
			t.Fatalf("Contest = %+v, %v", c, err)
		}
		if !w.did("suspend r1") || w.state("r1") != review.StateContested {
			t.Errorf("after the contest: %v, %s", w.acts, w.state("r1"))
		}
		if again, err := w.service.Contest(ctx, platform, o); err != nil || again.ID != c.ID {
			t.Errorf("Contest again = %+v, %v", again, err)
		}
		if _, err := w.service.Take(ctx, as("ann"), c.ID); !errors.Is(err, review.ErrConflict) {
			t.Errorf("the first reviewer took the contest: %v", err)
		}
		if _, err := w.decide("ben", c.ID, tc.verdict); err != nil {
			t.Fatal(err)
		}
		if !w.did(tc.act) || w.state("r1") != tc.state {
			t.Errorf("after %s: %v, %s, want %s and %s", tc.verdict, w.acts, w.state("r1"), tc.act, tc.state)
		}
		told, err := w.service.CasesOf(ctx, tenant, "u7", "r1")
		if err != nil || len(told) != 2 || told[1].Words.Reason == "" {
			t.Errorf("what the subject is told: %+v, %v", told, err)
		}
		second, err := w.service.Contest(ctx, platform, o)
		if err != nil || second.ID == c.ID {
			t.Fatalf("a second contest = %+v, %v", second, err)
		}
		for who, want := range map[string]error{"ann": review.ErrConflict, "ben": review.ErrConflict} {
			if _, err := w.service.Take(ctx, as(who), second.ID); !errors.Is(err, want) {
				t.Errorf("%s took the second contest: %v", who, err)
			}
		}
	}
}

func TestContestRefusals(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.report("r1")
	good := review.Objection{Subject: "u7", Report: "r1", Statement: "no"}
	for name, tc := range map[string]struct {
		change func(*review.Objection)
		want   error
	}{
		"another subject":        {func(o *review.Objection) { o.Subject = "u8" }, review.ErrNotFound},
		"no such report":         {func(o *review.Objection) { o.Report = "r2" }, review.ErrNotFound},
		"no words":               {func(o *review.Objection) { o.Statement = " " }, schemas.ErrMalformed},
		"a dimension not scored": {func(o *review.Objection) { o.Dimensions = []schemas.Dimension{schemas.DimensionSelfAwareness} }, schemas.ErrMalformed},
		"a dimension twice": {func(o *review.Objection) {
			o.Dimensions = []schemas.Dimension{schemas.DimensionSocialSkills, schemas.DimensionSocialSkills}
		}, schemas.ErrMalformed},
		"another's signature": {func(o *review.Objection) { o.Proof = "did:key:u8 contest u7" }, review.ErrSignature},
		"for another act":     {func(o *review.Objection) { o.Proof = "did:key:u7 export u7" }, review.ErrSignature},
	} {
		o := good
		tc.change(&o)
		if _, err := w.service.Contest(t.Context(), platform, o); !errors.Is(err, tc.want) {
			t.Errorf("%s: %v, want %v", name, err, tc.want)
		}
	}
	if len(w.acts) != 0 || w.state("r1") != review.StateAwaiting {
		t.Errorf("a refused contest had effects: %v", w.acts)
	}
}

// What a crash leaves open is completed by the next sweep, and an open contest suspends again: a credential whose issue was under
// way is caught.
func TestSweepAfterCrash(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	w.report("r1")
	crash := func(point string, act func()) {
		t.Helper()
		w.crashAt = point
		defer func() {
			if recover() == nil {
				t.Errorf("%s was not passed", point)
			}
			w.crashAt, w.acts = "", nil
			w.open()
		}()
		act()
	}
	crash("review.after_contest", func() {
		_, _ = w.service.Contest(ctx, platform, review.Objection{Subject: "u7", Report: "r1", Statement: "no"})
	})
	if w.state("r1") != review.StateContested {
		t.Fatalf("after the crash the report is %s", w.state("r1"))
	}
	for range 2 {
		w.acts = nil
		if err := w.service.Sweep(ctx); err != nil || !w.did("suspend r1") {
			t.Errorf("Sweep: %v, %v", w.acts, err)
		}
	}
	cases, _, err := w.service.Queue(ctx, tenant, review.StateWaiting, "", 10)
	if err != nil || len(cases) != 1 {
		t.Fatalf("Queue = %+v, %v", cases, err)
	}
	crash("review.after_decide", func() { _, _ = w.decide("ann", cases[0].ID, review.Refuse) })
	w.actFail = errors.New("down")
	if err := w.service.Sweep(ctx); err == nil {
		t.Error("a sweep that could not revoke said nothing")
	}
	w.actFail = nil
	if err := w.service.Sweep(ctx); err != nil || !w.did("revoke r1") {
		t.Errorf("Sweep: %v, %v", w.acts, err)
	}
	w.acts = nil
	if err := w.service.Sweep(ctx); err != nil || len(w.acts) != 0 {
		t.Errorf("a sweep with nothing to do: %v, %v", w.acts, err)
	}
}

// Erasing the report, and destroying its key, takes every word of its cases.
func TestCasesGoWithTheReport(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	w.report("r1")
	c, err := w.service.Contest(ctx, platform, review.Objection{Subject: "u7", Report: "r1", Statement: "secret words"})
	if err != nil {
		t.Fatal(err)
	}
	if err := w.reports.Erase(ctx, tenant, "r1"); err != nil {
		t.Fatal(err)
	}
	if _, err := w.store.Case(ctx, tenant, c.ID); !errors.Is(err, review.ErrNotFound) {
		t.Errorf("the case is there after erasure: %v", err)
	}
	if err := w.service.Sweep(ctx); err != nil {
		t.Errorf("Sweep after erasure: %v", err)
	}
}

// A reviewer who does nothing loses the case after a day.
func TestTakeOver(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	w.report("r1")
	c, err := w.service.Open(ctx, platform, "r1", "")
	if err != nil {
		t.Fatal(err)
	}
	for _, step := range []struct {
		who  string
		wait time.Duration
		want error
	}{{"ann", 0, nil}, {"ben", 23 * time.Hour, review.ErrState}, {"ben", 2 * time.Hour, nil}, {"ann", 0, review.ErrState}} {
		w.clock.Advance(step.wait)
		if _, err := w.service.Take(ctx, as(step.who), c.ID); !errors.Is(err, step.want) {
			t.Errorf("Take by %s: %v, want %v", step.who, err, step.want)
		}
	}
}

// Marks go to a reviewer and become labelled data for those who agreed to research only.
func TestFeedbackAndLabels(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	w.report("r1", "research")
	w.report("r2")
	for _, report := range []string{"r1", "r2"} {
		mark := []review.Mark{{Message: "m2", Facet: "SO1", Label: review.Disagree, Note: "irony"}}
		c, err := w.service.Feedback(ctx, platform, "u7", report, mark, "")
		if err != nil {
			t.Fatal(err)
		}
		mark[0].Label = review.Context
		if again, err := w.service.Feedback(ctx, platform, "u7", report, mark, "did:key:u7 feedback u7"); err != nil || again.ID != c.ID || len(again.Words.Feedback) != 1 {
			t.Errorf("marked again = %+v, %v", again, err)
		}
		if _, err := w.decide("ann", c.ID, "", review.Mark{Message: "m2", Facet: "SO1", Label: review.Disagree}); err != nil {
			t.Fatal(err)
		}
	}
	if w.state("r1") != review.StateAwaiting || len(w.acts) != 0 {
		t.Error("marks changed what may be issued")
	}
	got, err := w.service.Labelled(ctx, tenant)
	want := []review.GivenLabel{{By: "ann", Label: review.Disagree}, {By: "subject", Label: review.Context}}
	if err != nil || len(got) != 1 || got[0].Report != "r1" || got[0].Quote != "words of m2" || !slices.Equal(got[0].Labels, want) {
		t.Errorf("Labelled = %+v, %v", got, err)
	}
	if err := w.reports.Erase(ctx, tenant, "r1"); err != nil {
		t.Fatal(err)
	}
	if got, err := w.service.Labelled(ctx, tenant); err != nil || len(got) != 0 {
		t.Errorf("after erasure Labelled = %+v, %v", got, err)
	}
}

func TestAgreement(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	w.policy.SecondPercent = 100
	for n, verdicts := range [][2]string{{review.Release, review.Release}, {review.Refuse, review.Refuse}, {review.Release, review.Refuse}} {
		id := string(rune('a' + n))
		w.report(id)
		c, err := w.service.Open(ctx, platform, id, "")
		if err != nil {
			t.Fatal(err)
		}
		if _, err := w.decide("ann", c.ID, verdicts[0]); err != nil {
			t.Fatal(err)
		}
		waiting, _, err := w.service.Queue(ctx, tenant, review.StateWaiting, "", 10)
		if err != nil || len(waiting) != 1 || waiting[0].Kind != review.KindSecond {
			t.Fatalf("no second reading: %+v, %v", waiting, err)
		}
		if _, err := w.service.Take(ctx, as("ann"), waiting[0].ID); !errors.Is(err, review.ErrConflict) {
			t.Errorf("the same reviewer read it twice: %v", err)
		}
		if _, err := w.decide("ben", waiting[0].ID, verdicts[1]); err != nil {
			t.Fatal(err)
		}
	}
	now, err := w.service.Standing(ctx, tenant, "c")
	if err != nil || len(now.Refused) != 0 {
		t.Errorf("a second reading changed what is released: %+v, %v", now, err)
	}
	got, err := w.service.Agreement(ctx, tenant)
	if err != nil || got.Levels.Units != 6 || len(got.Levels.Pairs) != 1 || got.Levels.Alpha == nil || len(got.Reviewers) != 2 {
		t.Fatalf("Agreement = %+v, %v", got, err)
	}
	// Six units: agreed on four; ann released four of six, ben two. Chance 4/6*2/6 + 2/6*4/6 = 4/9.
	if kappa := *got.Levels.Pairs[0].Kappa; math.Abs(kappa-(2.0/3-4.0/9)/(5.0/9)) > 1e-12 {
		t.Errorf("kappa = %v", kappa)
	}
	if got.Reviewers[0].Median != time.Minute || got.Reviewers[0].Decided != 3 {
		t.Errorf("work = %+v", got.Reviewers[0])
	}
}

// Krippendorff (2011), "Computing Krippendorff's Alpha-Reliability", example C: four observers, twelve units, missing values,
// nominal data: alpha 0.743.
func TestAlphaAgainstTheLiterature(t *testing.T) {
	t.Parallel()
	observers := []string{"1 2 3 3 2 1 4 1 2 . . .", "1 2 3 3 2 2 4 1 2 5 . 3", ". 3 3 3 2 3 4 2 2 5 1 .", "1 2 3 3 2 4 4 1 2 5 1 ."}
	var ratings []review.Rating
	for o, line := range observers {
		for u := range 12 {
			if label := line[2*u : 2*u+1]; label != "." {
				ratings = append(ratings, review.Rating{Unit: string(rune('a' + u)), Rater: string(rune('A' + o)), Label: label})
			}
		}
	}
	alpha, units, ok := review.Alpha(ratings)
	if !ok || units != 11 || math.Abs(alpha-0.743) > 0.0005 {
		t.Errorf("Alpha = %v over %d, %v, want 0.743 over 11", alpha, units, ok)
	}
}

func TestAgreementIsUndefined(t *testing.T) {
	t.Parallel()
	same := []review.Rating{{"u", "a", "x"}, {"u", "b", "x"}, {"v", "a", "x"}, {"v", "b", "x"}}
	if _, units, ok := review.Alpha(same); ok || units != 2 {
		t.Errorf("alpha of one label alone is defined, over %d units", units)
	}
	if _, units, ok := review.Kappa(same, "a", "b"); ok || units != 2 {
		t.Errorf("kappa of one label alone is defined, over %d units", units)
	}
	if _, _, ok := review.Kappa(same, "a", "c"); ok {
		t.Error("kappa with somebody who rated nothing is defined")
	}
	if _, _, ok := review.Alpha(nil); ok {
		t.Error("alpha of nothing is defined")
	}
}

func TestAppoint(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	good := review.Reviewer{ID: "dan", Name: "Dan", Key: "k-dan", DID: "did:key:dan"}
	for name, change := range map[string]func(*review.Reviewer){
		"id":            func(r *review.Reviewer) { r.ID = "Dan!" },
		"no name":       func(r *review.Reviewer) { r.Name = "" },
		"no key":        func(r *review.Reviewer) { r.Key = "" },
		"did:web":       func(r *review.Reviewer) { r.DID = "did:web:x.example" },
		"another's key": func(r *review.Reviewer) { r.Key = "k-ann" },
		"another's DID": func(r *review.Reviewer) { r.DID = "did:key:ann" },
	} {
		r := good
		change(&r)
		if _, err := w.service.Appoint(t.Context(), platform, r); !errors.Is(err, schemas.ErrMalformed) {
			t.Errorf("%s: %v, want ErrMalformed", name, err)
		}
	}
	ended := review.Reviewer{ID: "ann", Name: "Ann", Key: "k-ann", DID: "did:key:ann", Ended: true}
	if _, err := w.service.Appoint(t.Context(), platform, ended); err != nil {
		t.Fatal(err)
	}
	w.report("r1")
	c, err := w.service.Open(t.Context(), platform, "r1", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.service.Take(t.Context(), as("ann"), c.ID); !errors.Is(err, review.ErrReviewer) {
		t.Errorf("one who reviews no longer took a case: %v", err)
	}
}

// TestSEC_187_SamePersonUnderAnotherID: who decided a case does not decide the contest of it as a reviewer with another id.
func TestSEC_187_SamePersonUnderAnotherID(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	ctx := t.Context()
	w.report("r1")
	c, err := w.service.Open(ctx, platform, "r1", "")
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.decide("ann", c.ID, review.Release); err != nil {
		t.Fatal(err)
	}
	for _, r := range []review.Reviewer{
		{ID: "ann", Name: "Ann", Key: "k-ann", DID: "did:key:ann", Ended: true},
		{ID: "anna", Name: "Anna", Key: "k-anna", DID: "did:key:ann"},
	} {
		if _, err := w.service.Appoint(ctx, platform, r); err != nil {
			t.Fatal(err)
		}
	}
	contest, err := w.service.Contest(ctx, platform, review.Objection{Subject: "u7", Report: "r1", Statement: "m2 was irony"})
	if err != nil {
		t.Fatal(err)
	}
	if _, err := w.service.Take(ctx, as("anna"), contest.ID); !errors.Is(err, review.ErrConflict) {
		t.Errorf("the first reviewer took the contest under another id: %v", err)
	}
}

// Marks that the platform adds to the subject's own do not stand as the subject's own.
func TestFeedbackOfPlatformIsNotTheSubjects(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.report("r1")
	for _, tc := range []struct {
		proof string
		own   bool
	}{{"did:key:u7 feedback u7", true}, {"", false}, {"did:key:u7 feedback u7", false}} {
		mark := []review.Mark{{Message: "m2", Facet: "SO1", Label: review.Disagree}}
		if c, err := w.service.Feedback(t.Context(), platform, "u7", "r1", mark, tc.proof); err != nil || c.Words.Own != tc.own {
			t.Errorf("with proof %q: own %v, %v, want %v", tc.proof, c.Words.Own, err, tc.own)
		}
	}
}
