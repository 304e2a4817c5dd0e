//go:build cgo

package onnx_test

import (
	"testing"

	"heartmark/assessment"
	"heartmark/assessment/training"
)

// TestPractiseWithTheModel reads answers that were written for the scenarios, good ones and bad ones, with the built-in model.
// No bad answer may be praised for the scenario's own side, and few good ones may be passed over: feedback that scolds a
// kind answer or praises a cruel one teaches the wrong thing.
func TestPractiseWithTheModel(t *testing.T) {
	bank, err := training.Load()
	if err != nil {
		t.Fatal(err)
	}
	c := open(t, nil)
	passed, good := 0, 0
	for _, tc := range []struct {
		scenario, lang, answer string
		good                   bool
	}{
		{"game-lost-round", "en", "My mistake, I went in too early. Shall we hold the middle together next round?", true},
		{"game-lost-round", "en", "Shut up, you idiot, you are the worst player here.", false},
		{"social-pet-died", "en", "Oh no, I'm so sorry. That quiet must hurt so much. What was she like?", true},
		{"social-pet-died", "en", "You can buy a new one for fifty euros at the shelter.", false},
		{"game-quiet-friend", "en", "You sounded a bit down today. Is everything okay? No need to answer if you'd rather not.", true},
		{"game-quiet-friend", "en", "Whatever, bye. Next time tell us before the round starts.", false},
		{"social-how-are-you", "en", "Honestly, I feel worn out and a bit lonely. Thank you for asking.", true},
		{"social-how-are-you", "en", "Did you see the match yesterday? Three to one!", false},
		{"support-angry-customer", "en", "You have asked three times and got no answer, I am sorry. I am looking for your parcel now and will write by four o'clock.", true},
		{"support-angry-customer", "en", "If you keep insulting us you will get nothing at all, you moron.", false},
		{"zh-gaokao-score", "zh", "差这么一点，心里肯定很不好受吧。想说说吗？我在。", true},
		{"zh-gaokao-score", "zh", "没事，还有很多别的学校，赶紧去查查分数线。", false},
		{"zh-danmu-insult", "zh", "哈哈谢谢来捧场，下一首给大家唱个轻松的。", true},
		{"zh-danmu-insult", "zh", "滚，你个垃圾，有本事你来唱啊。", false},
		{"zh-advice-not-wanted", "zh", "是我急着给建议了，没好好听你说。你现在心里最难受的是什么？", true},
		{"zh-advice-not-wanted", "zh", "你就别抱怨了，照我说的做不就行了吗？", false},
		{"zh-new-mother-at-night", "zh", "这么晚还一个人撑着，一定又累又委屈吧。我陪着你，想说什么都行。", true},
		{"zh-new-mother-at-night", "zh", "谁当妈不是这样过来的，赶紧睡吧，别矫情。", false},
		{"zh-parents-compare", "zh", "爸，新年好，我也在努力呢，今年想多回来陪陪你们。", true},
		{"zh-parents-compare", "zh", "你有完没完？那你让小李当你儿子去，烦死了。", false},
		{"zh-delivery-rider-rain", "zh", "你人没事吧？摔伤了没有？汤不要紧的，不用赔，路上慢点。", true},
		{"zh-delivery-rider-rain", "zh", "那你赔吧，汤洒了我怎么喝？", false},
	} {
		s, ok := bank.Scenario(tc.scenario)
		if !ok {
			t.Fatalf("no scenario %s", tc.scenario)
		}
		got, err := assessment.Practise(t.Context(), c, assessment.Exchange{Facet: s.Facet, Message: s.Message.In(tc.lang), Answer: tc.answer, Lang: tc.lang})
		if err != nil {
			t.Fatal(err)
		}
		shown := got.Own && got.Observations[0].Seen == assessment.SeenShown
		switch {
		case !tc.good && shown:
			t.Errorf("%s: %q is praised: %+v", tc.scenario, tc.answer, got)
		case tc.good:
			good++
			if shown {
				passed++
			}
		}
	}
	if 3*passed < 2*good {
		t.Errorf("%d of %d good answers are seen as such, want two in three", passed, good)
	}
}
