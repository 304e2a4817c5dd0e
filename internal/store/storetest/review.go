package storetest

import (
	"context"
	"errors"
	"fmt"
	"reflect"
	"testing"

	"heartmark/assessment"
	"heartmark/assessment/review"
	"heartmark/schemas"
)

// ReviewStores are a review.Store and the store of the reports that its cases are about.
type ReviewStores struct {
	Review  review.Store
	Reports assessment.Store
}

// Review checks a review.Store. open returns empty stores; reopen, if not nil, closes them and opens what they left behind.
func Review(t *testing.T, open func(t *testing.T) ReviewStores, reopen func(t *testing.T, s ReviewStores) ReviewStores) {
	if reopen == nil {
		reopen = func(_ *testing.T, s ReviewStores) ReviewStores { return s }
	}
	t.Run("cases", func(t *testing.T) { reviewCases(t, open(t), reopen) })
	t.Run("queue", func(t *testing.T) { reviewQueue(t, open(t)) })
	t.Run("unfinished", func(t *testing.T) { reviewUnfinished(t, open(t)) })
	t.Run("going with the report", func(t *testing.T) { reviewGone(t, open(t)) })
	t.Run("reviewers", func(t *testing.T) { reviewReviewers(t, open(t), reopen) })
}

func reviewed(t *testing.T, s ReviewStores, tenant, id string) {
	t.Helper()
	must(t, s.Reports.SaveReport(t.Context(), tenant, assessment.Report{Schema: assessment.Schema, ID: id, Subject: "u-" + id}))
}

func reviewCase(tenant, report, id string, second int) review.Case {
	return review.Case{
		ID: id, Tenant: tenant, Report: report, Kind: review.KindRelease, Dimensions: []schemas.Dimension{schemas.DimensionSocialSkills},
		Why: []string{review.WhyBorder}, State: review.StateWaiting, Opened: at(second), Words: review.Words{Statement: "words of " + id},
	}
}

func created(t *testing.T, s ReviewStores, c review.Case) review.Case {
	t.Helper()
	got, fresh, err := s.Review.Create(t.Context(), c)
	if err != nil || !fresh {
		t.Fatalf("Create(%s) = created %v, %v", c.ID, fresh, err)
	}
	return got
}

func reviewCases(t *testing.T, s ReviewStores, reopen func(t *testing.T, s ReviewStores) ReviewStores) {
	ctx := t.Context()
	reviewed(t, s, "t1", "r1")
	if _, _, err := s.Review.Create(ctx, reviewCase("t1", "none", "c0", 1)); !errors.Is(err, review.ErrNotFound) {
		t.Errorf("Create for a report that is not there: %v, want ErrNotFound", err)
	}
	first := created(t, s, reviewCase("t1", "r1", "c1", 2))
	again := reviewCase("t1", "r1", "c1", 3)
	again.Words.Statement = "other words"
	if got, fresh, err := s.Review.Create(ctx, again); err != nil || fresh || got.Words.Statement != "words of c1" {
		t.Errorf("Create again = %+v, created %v, %v", got, fresh, err)
	}
	s = reopen(t, s)
	got, err := s.Review.Case(ctx, "t1", "c1")
	if err != nil || !reflect.DeepEqual(got, first) {
		t.Errorf("Case = %+v, %v, want %+v", got, err, first)
	}
	got.State, got.Reviewer, got.Words.Reason = review.StateTaken, "ann", "because"
	must(t, s.Review.Update(ctx, got))
	if err := s.Review.Update(ctx, got); !errors.Is(err, review.ErrStale) {
		t.Errorf("Update of an old revision: %v, want ErrStale", err)
	}
	now, err := s.Review.Case(ctx, "t1", "c1")
	if err != nil || now.Reviewer != "ann" || now.Words.Reason != "because" || now.Revision != got.Revision+1 {
		t.Errorf("Case after Update = %+v, %v", now, err)
	}
	for _, place := range [][2]string{{"t2", "c1"}, {"t1", "c"}, {"", "c1"}} {
		if _, err := s.Review.Case(ctx, place[0], place[1]); !errors.Is(err, review.ErrNotFound) {
			t.Errorf("Case of %q: %v, want ErrNotFound", place, err)
		}
	}
	missing := reviewCase("t1", "r1", "c9", 1)
	if err := s.Review.Update(ctx, missing); !errors.Is(err, review.ErrNotFound) {
		t.Errorf("Update of nothing: %v, want ErrNotFound", err)
	}
	created(t, s, reviewCase("t1", "r1", "c0", 9))
	all, err := s.Review.OfReport(ctx, "t1", "r1")
	if err != nil || len(all) != 2 || all[0].ID != "c1" || all[1].Words.Statement != "words of c0" {
		t.Errorf("OfReport = %+v, %v", all, err)
	}
	if all, err := s.Review.OfReport(ctx, "t2", "r1"); err != nil || len(all) != 0 {
		t.Errorf("OfReport of another tenant = %v, %v", all, err)
	}
}

func reviewQueue(t *testing.T, s ReviewStores) {
	ctx := t.Context()
	reviewed(t, s, "t1", "r1")
	reviewed(t, s, "t2", "r1")
	for _, second := range []int{5, 3, 4, 1, 2} {
		created(t, s, reviewCase("t1", "r1", fmt.Sprintf("c%d", second), second))
	}
	created(t, s, reviewCase("t2", "r1", "c1", 1))
	taken, err := s.Review.Case(ctx, "t1", "c3")
	must(t, err)
	taken.State = review.StateTaken
	must(t, s.Review.Update(ctx, taken))
	var ids []string
	for cursor := ""; ; {
		page, next, err := s.Review.Cases(ctx, "t1", review.StateWaiting, cursor, 2)
		must(t, err)
		for _, c := range page {
			ids = append(ids, c.ID)
			if c.Words.Statement != "" {
				t.Errorf("a list shows words: %+v", c)
			}
		}
		if next == "" {
			break
		}
		cursor = next
	}
	if want := []string{"c1", "c2", "c4", "c5"}; !reflect.DeepEqual(ids, want) {
		t.Errorf("Cases = %v, want %v", ids, want)
	}
	if page, _, err := s.Review.Cases(ctx, "t1", review.StateTaken, "", 10); err != nil || len(page) != 1 || page[0].ID != "c3" {
		t.Errorf("taken = %+v, %v", page, err)
	}
}

func reviewUnfinished(t *testing.T, s ReviewStores) {
	ctx := t.Context()
	list := func(ctx context.Context) (ids []string) {
		for after := (review.Case{}); ; {
			page, err := s.Review.Unfinished(ctx, after, 2)
			must(t, err)
			for _, c := range page {
				ids = append(ids, c.Tenant+"/"+c.ID)
				after = c
			}
			if len(page) < 2 {
				return ids
			}
		}
	}
	for n, tenant := range []string{"t1", "t1", "t2", "t1"} {
		id := fmt.Sprint(n)
		reviewed(t, s, tenant, "r"+id)
		c := reviewCase(tenant, "r"+id, "c"+id, n)
		if n != 1 {
			c.Effect = review.EffectSuspend
		}
		created(t, s, c)
	}
	if got, want := list(ctx), []string{"t1/c0", "t1/c3", "t2/c2"}; !reflect.DeepEqual(got, want) {
		t.Errorf("Unfinished = %v, want %v", got, want)
	}
	c, err := s.Review.Case(ctx, "t1", "c3")
	must(t, err)
	c.Effect = ""
	must(t, s.Review.Update(ctx, c))
	if got, want := list(ctx), []string{"t1/c0", "t2/c2"}; !reflect.DeepEqual(got, want) {
		t.Errorf("Unfinished after one is done = %v, want %v", got, want)
	}
}

func reviewGone(t *testing.T, s ReviewStores) {
	ctx := t.Context()
	for _, gone := range []func(report string) error{
		func(report string) error { return s.Review.Forget(ctx, "t1", report) },
		func(report string) error { return s.Reports.Erase(ctx, "t1", report) },
	} {
		reviewed(t, s, "t1", "r1")
		reviewed(t, s, "t1", "r2")
		c := reviewCase("t1", "r1", "c1", 1)
		c.Effect = review.EffectSuspend
		created(t, s, c)
		kept := reviewCase("t1", "r2", "c2", 2)
		if _, _, err := s.Review.Create(ctx, kept); err != nil {
			t.Fatal(err)
		}
		must(t, gone("r1"))
		must(t, gone("r1"))
		if _, err := s.Review.Case(ctx, "t1", "c1"); !errors.Is(err, review.ErrNotFound) {
			t.Errorf("Case: %v, want ErrNotFound", err)
		}
		page, _, err := s.Review.Cases(ctx, "t1", review.StateWaiting, "", 10)
		open, err2 := s.Review.Unfinished(ctx, review.Case{}, 10)
		if err != nil || err2 != nil || len(page) != 1 || page[0].ID != "c2" || len(open) != 0 {
			t.Errorf("left: %+v, %v and %+v, %v", page, err, open, err2)
		}
		must(t, s.Reports.Erase(ctx, "t1", "r1"))
	}
}

func reviewReviewers(t *testing.T, s ReviewStores, reopen func(t *testing.T, s ReviewStores) ReviewStores) {
	ctx := t.Context()
	for _, r := range []review.Reviewer{{ID: "ben", Tenant: "t1", Key: "k2"}, {ID: "ann", Tenant: "t1", Key: "k1"}, {ID: "cleo", Tenant: "t2"}} {
		must(t, s.Review.PutReviewer(ctx, r))
	}
	must(t, s.Review.PutReviewer(ctx, review.Reviewer{ID: "ben", Tenant: "t1", Key: "k3", Ended: true}))
	s = reopen(t, s)
	got, err := s.Review.Reviewers(ctx, "t1")
	want := []review.Reviewer{{ID: "ann", Tenant: "t1", Key: "k1"}, {ID: "ben", Tenant: "t1", Key: "k3", Ended: true}}
	if err != nil || !reflect.DeepEqual(got, want) {
		t.Errorf("Reviewers = %+v, %v, want %+v", got, err, want)
	}
}
