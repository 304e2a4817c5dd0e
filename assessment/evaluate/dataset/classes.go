package dataset

import (
	"slices"

	"heartmark/assessment"
)

// Heads that only the evaluation reads by name; those that score people are named in package assessment.
const (
	HeadEmotion27   = "emotion27"   // sigmoid, the 28 labels of goemotions
	HeadSentiment   = "sentiment"   // softmax negative neutral positive
	HeadAct19       = "act19"       // softmax, the acts of cped
	HeadNegotiation = "negotiation" // sigmoid, the strategies of casino
	HeadStrategies  = "strategies"  // sigmoid, the strategies of positive_frames
	HeadEmpathy     = "empathy"     // softmax none, weak, strong
	HeadEmpathic    = "empathic"    // value: concern, distress
)

// Emotions are the common emotion classes (assessment design, section 4), in the order of the emotion head.
func Emotions() []string {
	return []string{
		"joy", "amusement", "love_caring", "gratitude", "pride_admiration", "relief_calm", "hope_desire", "interest_surprise",
		"anger", "disgust_contempt", "fear_worry", "sadness", "shame_guilt", "neutral",
	}
}

// pleasant are the common classes that ask for no support: the positive ones, and neutral.
func pleasant(classes []string) bool {
	for _, class := range classes {
		if class != "neutral" && !slices.Contains(Emotions()[:7], class) {
			return false
		}
	}
	return len(classes) > 0
}

// commonEmotion maps the label of a set to the common class; "" where it has none (goemotions' approval; cped's
// positive-other and negative-other, which name a sign and no class).
func commonEmotion(set, label string) string {
	return emotionClasses(set)[label]
}

func emotionClasses(set string) map[string]string {
	switch set {
	case SetGoemotions:
		return map[string]string{
			"joy": "joy", "excitement": "joy", "love": "love_caring", "caring": "love_caring", "amusement": "amusement",
			"gratitude": "gratitude", "admiration": "pride_admiration", "pride": "pride_admiration",
			"optimism": "hope_desire", "desire": "hope_desire", "relief": "relief_calm",
			"curiosity": "interest_surprise", "realization": "interest_surprise", "surprise": "interest_surprise",
			"confusion": "interest_surprise", "anger": "anger", "annoyance": "anger", "disgust": "disgust_contempt",
			"disapproval": "disgust_contempt", "fear": "fear_worry", "nervousness": "fear_worry", "sadness": "sadness",
			"disappointment": "sadness", "grief": "sadness", "embarrassment": "shame_guilt", "remorse": "shame_guilt",
			"neutral": "neutral",
		}
	case SetXED:
		return map[string]string{
			"anger": "anger", "anticipation": "hope_desire", "disgust": "disgust_contempt", "fear": "fear_worry", "joy": "joy",
			"sadness": "sadness", "surprise": "interest_surprise", "trust": "love_caring", "neutral": "neutral",
		}
	case SetCPED:
		return map[string]string{
			"happy": "joy", "grateful": "gratitude", "relaxed": "relief_calm", "neutral": "neutral", "anger": "anger",
			"sadness": "sadness", "depress": "sadness", "fear": "fear_worry", "worried": "fear_worry",
			"disgust": "disgust_contempt", "astonished": "interest_surprise",
		}
	case SetEmory:
		return map[string]string{
			"sad": "sadness", "mad": "anger", "scared": "fear_worry", "powerful": "pride_admiration", "peaceful": "relief_calm",
			"joyful": "joy", "neutral": "neutral",
		}
	case SetSituations: // jealous, nostalgic, sentimental, prepared, trusting and faithful have no common class
		return map[string]string{
			"joyful": "joy", "excited": "joy", "caring": "love_caring", "grateful": "gratitude", "proud": "pride_admiration",
			"impressed": "pride_admiration", "confident": "pride_admiration", "content": "relief_calm", "hopeful": "hope_desire",
			"anticipating": "hope_desire", "surprised": "interest_surprise", "angry": "anger", "annoyed": "anger", "furious": "anger",
			"disgusted": "disgust_contempt", "afraid": "fear_worry", "terrified": "fear_worry", "anxious": "fear_worry",
			"apprehensive": "fear_worry", "sad": "sadness", "devastated": "sadness", "lonely": "sadness", "disappointed": "sadness",
			"ashamed": "shame_guilt", "guilty": "shame_guilt", "embarrassed": "shame_guilt",
		}
	case SetPersonas:
		return map[string]string{"sadness": "sadness", "anger": "anger", "fear": "fear_worry", "joy": "joy"}
	default:
		return nil
	}
}

// knownEmotions are the common classes that the annotators of a set could choose, sorted.
func knownEmotions(set string) []string {
	var out []string
	for _, class := range emotionClasses(set) {
		out = append(out, class)
	}
	slices.Sort(out)
	return slices.Compact(out)
}

// Strategies are the reframing strategies of positive_frames.
func Strategies() []string {
	return []string{"growth", "impermanence", "neutralizing", "optimism", "self_affirmation", "thankfulness"}
}

// cpedAct maps an act of cped to those of the act head; casinoAct a turn's strategies, the first that is found.
func cpedAct(act string) string {
	switch act {
	case "comfort", "apology", "question", "command":
		return act
	case "thanking":
		return "thanks"
	case "appreciation":
		return "praise"
	case "agreement", "acknowledge":
		return "agree"
	case "irony":
		return "irony_or_undervalue"
	case "reject", "disagreement":
		return "disagree_or_reject"
	case "greeting", "conventional-closing":
		return "small_talk"
	default:
		return "other"
	}
}

func casinoAct(strategies []string) string {
	for _, s := range [][2]string{
		{"uv-part", "irony_or_undervalue"},
		{"showing-empathy", "comfort"},
		{"small-talk", "small_talk"},
		{"promote-coordination", "offer_or_coordinate"},
		{"no-need", "offer_or_coordinate"},
		{"elicit-pref", "question"},
	} {
		if slices.Contains(strategies, s[0]) {
			return s[1]
		}
	}
	return "other"
}

// strength names the three levels of er, ip, ex and empathy.
func strength(level int) string {
	if level < 0 || level > 2 {
		return ""
	}
	return []string{"none", "weak", "strong"}[level]
}

// Situations of ed_situations whose emotion plainly asks for support, and those whose emotion plainly does not.
func negativeSituation(emotion string) bool {
	return slices.Contains([]string{
		"afraid", "angry", "annoyed", "anxious", "apprehensive", "ashamed", "devastated", "disappointed", "disgusted",
		"embarrassed", "furious", "guilty", "jealous", "lonely", "sad", "terrified",
	}, emotion)
}

func positiveSituation(emotion string) bool {
	return slices.Contains([]string{
		"confident", "content", "excited", "faithful", "grateful", "hopeful", "impressed", "joyful", "prepared", "proud", "trusting",
	}, emotion)
}

// contextHead is the head that a category of diasafety is about; "" for those that no head reads.
func contextHead(category string) string {
	switch category {
	case "Risk Ignorance":
		return assessment.HeadCtxIgnore
	case "Toxicity Agreement":
		return assessment.HeadCtxEscalate
	case "Offending User":
		return assessment.HeadCtxInsult
	default:
		return ""
	}
}
