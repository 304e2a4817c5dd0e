package assessment_test

import (
	"errors"
	"slices"
	"strings"
	"testing"

	"heartmark/assessment"
)

func TestPractise(t *testing.T) {
	t.Parallel()
	hostile := labelled{"idiot", assessment.HeadHostility, "strong"}
	question := labelled{"was she like", assessment.HeadAct, "question"}
	warm := labelled{"so sorry", assessment.HeadER, "strong"}
	explore := labelled{"was she like", assessment.HeadEX, "strong"}
	beside := labelled{"my new shoes", assessment.HeadRelevance, "no"}
	long := strings.Repeat("word ", assessment.MaxAnswer/4)
	for _, tc := range []struct {
		name, facet, answer string
		rows                []labelled
		change              func(*assessment.ModelInfo)
		status              assessment.PractiseStatus
		own                 bool
		want                []assessment.Observation
	}{
		{"too short", "SO2", "ok", nil, nil, assessment.PractiseShort, false, nil},
		{"two ideographs", "SA1", "挺好", nil, nil, assessment.PractiseShort, false, nil},
		{"too long", "SO2", long, nil, nil, assessment.PractiseShort, false, nil},
		{"another language", "SO2", "Es tut mir wirklich sehr leid, wie geht es dir jetzt damit?", nil, nil, assessment.PractiseLanguage, false, nil},
		{"harm", "SO2", "then I want to die as well", nil, nil, assessment.PractiseCare, false, nil},
		{"hostile", "SM1", "You are an idiot, leave the game", []labelled{hostile}, nil, assessment.PractiseRead, true, []assessment.Observation{
			{Facet: "SM1", Seen: assessment.SeenMissed}, {Facet: "SM2", Seen: assessment.SeenMissed},
		}},
		{"composed", "SM1", "What was she like in the last round?", []labelled{question}, nil, assessment.PractiseRead, true, []assessment.Observation{
			{Facet: "SM1", Seen: assessment.SeenShown}, {Facet: "SM2", Seen: assessment.SeenShown},
		}},
		{"warm, no feeling named", "SO2", "I am so sorry. What was she like?", []labelled{warm, explore}, nil, assessment.PractiseRead, true, []assessment.Observation{
			{Facet: "SO2", Seen: assessment.SeenShown}, {Facet: "SO1", Seen: assessment.SeenMissed}, {Facet: "SO3", Seen: assessment.SeenShown},
		}},
		{"a question that orders about", "SO2", "Was she like that? Just do as I said", []labelled{warm, explore, {"do as i said", assessment.HeadAct, "command"}}, nil, assessment.PractiseRead, true, []assessment.Observation{
			{Facet: "SO2", Seen: assessment.SeenPartly}, {Facet: "SO1", Seen: assessment.SeenMissed}, {Facet: "SO3", Seen: assessment.SeenPartly},
		}},
		{"own side without a usable rate", "SM1", "What was she like in the last round?", []labelled{question}, func(i *assessment.ModelInfo) {
			i.ErrorRates["SM1"] = map[string][2]float64{"en": {0.5, 0.45}}
		}, assessment.PractiseRead, false, []assessment.Observation{{Facet: "SM2", Seen: assessment.SeenShown}}},
		{"no head at all", "SM1", "What was she like in the last round?", nil, func(i *assessment.ModelInfo) {
			delete(i.Labels, assessment.HeadHostility)
		}, assessment.PractiseUnknown, false, nil},
		{"beside", "SO2", "I like my new shoes a lot today", []labelled{beside}, nil, assessment.PractiseBeside, false, nil},
	} {
		f := &fakeClassifier{rows: tc.rows, info: tc.change}
		if tc.name == "beside" {
			f.spoil = func(s assessment.Scores) { s[assessment.HeadRelevance] = []float64{0.1} }
		}
		got, err := assessment.Practise(t.Context(), f, assessment.Exchange{Facet: tc.facet, Message: "We had to put our cat to sleep.", Answer: tc.answer, Lang: "en"})
		if err != nil {
			t.Errorf("%s: %v", tc.name, err)
			continue
		}
		if got.Status != tc.status || got.Own != tc.own || !slices.Equal(got.Observations, tc.want) {
			t.Errorf("%s: %+v, want %s own %v %v", tc.name, got, tc.status, tc.own, tc.want)
		}
	}
}

func TestPractiseFaults(t *testing.T) {
	t.Parallel()
	x := assessment.Exchange{Facet: "SO1", Message: "m", Answer: "I am here if you want to talk", Lang: "en"}
	if _, err := assessment.Practise(t.Context(), &fakeClassifier{fail: errors.New("gone")}, x); !errors.Is(err, assessment.ErrClassifier) {
		t.Errorf("broken classifier: %v, want ErrClassifier", err)
	}
	spoilt := &fakeClassifier{spoil: func(s assessment.Scores) { s[assessment.HeadIP] = []float64{7, 7, 7} }}
	got, err := assessment.Practise(t.Context(), spoilt, x)
	if err != nil || slices.ContainsFunc(got.Observations, func(o assessment.Observation) bool { return o.Facet == "SO1" }) {
		t.Errorf("senseless head: %+v, %v, want no word about SO1", got, err)
	}
}
