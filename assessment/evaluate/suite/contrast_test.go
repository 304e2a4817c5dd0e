package suite_test

import (
	"testing"

	"heartmark/assessment/evaluate/metric"
	"heartmark/assessment/evaluate/suite"
)

// fivePairs are right, right and longer when worse, right, wrong, and a tie.
const fivePairs = `{"id":"p1","lang":"en","dimension":"social_awareness","context":[{"speaker":"A","text":"My grandmother died in spring."}],"better":"I am so sorry to hear that.","worse":"The gate opens later.","longer":"better"}
{"id":"p2","lang":"en","dimension":"self_management","context":[{"speaker":"A","text":"You idiot, what was that?"}],"better":"One moment, please.","worse":"You are the idiot here and everybody in this room knows it.","longer":"worse"}
{"id":"p3","lang":"en","dimension":"self_awareness","context":[{"speaker":"A","text":"How are you?"}],"better":"I feel low today.","worse":"It went how it went.","longer":"worse"}
{"id":"p4","lang":"en","dimension":"social_awareness","context":[{"speaker":"A","text":"My old dog died last week."}],"better":"The gate opens later today.","worse":"So sorry, friend.","longer":"better"}
{"id":"p5","lang":"zh","dimension":"social_skills","context":[{"speaker":"A","text":"都怪你！"},{"speaker":"B","text":"才不怪我！"}],"better":"两位先坐下来慢慢说吧。","worse":"楼上的门今天晚上打开。","longer":"better"}
`

func TestContrastCountsKnownPairs(t *testing.T) {
	o, err := suite.Contrast(t.Context(), known(t, words{}, fivePairs, ""))
	if err != nil {
		t.Fatal(err)
	}
	for name, want := range map[string]struct {
		value float64
		rows  int
		met   bool
	}{
		"contrast dei_contrast better reply scores higher":                           {0.6, 5, false},
		"contrast dei_contrast better reply scores higher where the worse is longer": {1, 2, true},
		"contrast dei_contrast en better reply scores higher":                        {0.75, 4, true},
		"contrast dei_contrast zh better reply scores higher":                        {0, 1, false},
		"contrast social_awareness dei_contrast better reply scores higher":          {0.5, 2, true},
	} {
		if m := find(t, o, name); m.Value != want.value || m.Rows != want.rows || m.Met() != want.met {
			t.Errorf("%s: %g of %d rows, met %t; want %g of %d, met %t", name, m.Value, m.Rows, m.Met(), want.value, want.rows, want.met)
		}
	}
	var missed []string
	for _, row := range o.Tables[0].Rows {
		missed = append(missed, row[0])
	}
	if len(missed) != 2 || missed[0] != "p4" || missed[1] != "p5" {
		t.Errorf("missed pairs %v, want p4 and p5: a tie is a miss", missed)
	}
}

func TestContrastReal(t *testing.T) {
	o, err := suite.Contrast(t.Context(), real(t))
	if err != nil {
		t.Fatal(err)
	}
	show(t, o, metric.SuiteContrast)
	if m := find(t, o, "contrast dei_contrast better reply scores higher"); m.Rows < 32 || m.Value < 0.7 || m.Interval == nil {
		t.Errorf("better reply preferred in %.2f of %d pairs: worse than any usable model", m.Value, m.Rows)
	}
}
