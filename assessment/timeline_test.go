package assessment_test

import (
	"fmt"
	"testing"
	"time"

	"heartmark/schemas"
)

// comforting says comforting things for so many days.
func comforting(days int) *script {
	s := newScript()
	for day := range days {
		s.now = time.Date(2025, 1, 5, 9, 0, 0, 0, time.UTC).AddDate(0, 0, day)
		for k := range 2 {
			friend := fmt.Sprintf("f%d", (day+k)%6)
			room := fmt.Sprintf("r%d-%d", day, k)
			s.say(room, friend, "My dog passed away this morning."+filler(9*day+k))
			s.say(room, "u7", "I'm so sorry, that sounds really hard. How are you holding up?"+filler(9*day+k+4))
		}
	}
	return s
}

func TestTimeline(t *testing.T) {
	t.Parallel()
	for _, tc := range []struct {
		days, least, most int
	}{
		{3, 0, 0},    // too little for two points
		{40, 2, 6},   // weeks joined until each carries a score
		{400, 8, 24}, // never more than 24
	} {
		r := assess(t, &fakeClassifier{rows: rows()}, comforting(tc.days).read(t))
		periods := r.Dimensions[schemas.DimensionSocialAwareness].Timeline
		if len(periods) < tc.least || len(periods) > tc.most {
			t.Errorf("%d days: %d periods, want %d to %d", tc.days, len(periods), tc.least, tc.most)
		}
		end, sum := "", 0
		for _, p := range periods {
			if p.From <= end || p.To < p.From || p.Opportunities < 20 || p.Score < p.Interval90[0] || p.Score > p.Interval90[1] {
				t.Errorf("%d days: period %+v after %s", tc.days, p, end)
			}
			end, sum = p.To, sum+p.Opportunities
		}
		if len(periods) > 0 && sum != r.Dimensions[schemas.DimensionSocialAwareness].Opportunities {
			t.Errorf("%d days: the periods have %d opportunities, the report %d", tc.days, sum, r.Dimensions[schemas.DimensionSocialAwareness].Opportunities)
		}
		if view := r.PlatformView(); view.Dimensions[schemas.DimensionSocialAwareness].Timeline != nil {
			t.Error("a platform without the class report reads the timeline")
		}
	}
}
