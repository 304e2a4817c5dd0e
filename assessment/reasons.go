package assessment

import (
	"strconv"
	"strings"
)

// Codes of Reason. Those with the prefix "certify_" say what a certificate still lacks.
const (
	ReasonOpportunities  = "opportunities"
	ReasonInformation    = "information"
	ReasonConversations  = "conversations"
	ReasonCounterparts   = "counterparts"
	ReasonDays           = "days"
	ReasonShares         = "shares"
	ReasonInterval       = "interval"
	ReasonFreeShare      = "free_share"
	ReasonSceneShare     = "scene_share"
	ReasonAdvancedScenes = "advanced_scenes"
	ReasonLanguage       = "language_coverage"
	ReasonCopied         = "copied_text"
	ReasonErrorRates     = "error_rates"
	ReasonHeadMissing    = "head_missing"
	ReasonModelOutput    = "model_output"
	ReasonModel          = "model"
	ReasonCorrected      = "corrected"

	certifyPrefix = "certify_"
)

// Reason says why a dimension has no score, no level, or nothing to certify, in both languages.
type Reason struct {
	Code string  `json:"code"`
	Have float64 `json:"have,omitempty"`
	Need float64 `json:"need,omitempty"`
	EN   string  `json:"en"`
	ZH   string  `json:"zh"`
}

// Text returns the reason's words in lang.
func (r Reason) Text(lang string) string {
	if strings.HasPrefix(lang, "zh") {
		return r.ZH
	}
	return r.EN
}

// Certify reports whether the reason concerns a certificate only.
func (r Reason) Certify() bool { return strings.HasPrefix(r.Code, certifyPrefix) }

func reason(code string, have, need float64) Reason {
	words := reasonWords(strings.TrimPrefix(code, certifyPrefix))
	fill := strings.NewReplacer("{have}", plain(have), "{need}", plain(need), "{havePct}", plain(round(100*have, 0)), "{needPct}", plain(round(100*need, 0)))
	r := Reason{Code: code, Have: have, Need: need, EN: fill.Replace(words[0]), ZH: fill.Replace(words[1])}
	if r.Certify() {
		r.EN = "For a certificate: " + strings.ToLower(r.EN[:1]) + r.EN[1:]
		r.ZH = "颁发证书还需：" + r.ZH
	}
	return r
}

func plain(x float64) string { return strconv.FormatFloat(x, 'f', -1, 64) }

func reasonWords(code string) [2]string {
	switch code {
	case ReasonCorrected:
		return [2]string{"A message behind this result was taken out at the person's wish; a new assessment gives a new result.", "应本人要求，此结果所依据的一条消息已被移除；重新评估后会得到新的结果。"}
	case ReasonOpportunities:
		return [2]string{"Situations that asked for this skill: {have}; {need} are needed.", "需要用到这项能力的情境有 {have} 次，至少需要 {need} 次。"}
	case ReasonInformation:
		return [2]string{"Clear observations that the messages amount to: {have}; {need} are needed.", "这些消息相当于 {have} 次清楚的观察，至少需要 {need} 次。"}
	case ReasonConversations:
		return [2]string{"Conversations with evidence: {have}; {need} are needed.", "数据来自 {have} 段对话，至少需要 {need} 段。"}
	case ReasonCounterparts:
		return [2]string{"Different people talked with: {have}; {need} are needed.", "数据来自与 {have} 位不同的人的交流，至少需要 {need} 位。"}
	case ReasonDays:
		return [2]string{"Days with evidence: {have}; {need} are needed.", "数据来自 {have} 天，至少需要 {need} 天。"}
	case ReasonShares:
		return [2]string{"Too few sides of this skill could be seen: {havePct} % of its weight, {needPct} % are needed.", "能观察到的方面太少：占权重的 {havePct}%，至少需要 {needPct}%。"}
	case ReasonInterval:
		return [2]string{"The range of the score is {have} points wide; at most {need} are allowed.", "分数区间宽 {have} 分，最多允许 {need} 分。"}
	case ReasonFreeShare:
		return [2]string{"Only {havePct} % of the evidence is free chat; {needPct} % are needed.", "自由聊天仅占 {havePct}%，至少需要 {needPct}%。"}
	case ReasonSceneShare:
		return [2]string{"Only {havePct} % of the evidence comes from assessment scenes; {needPct} % are needed.", "测评情境仅占 {havePct}%，至少需要 {needPct}%。"}
	case ReasonAdvancedScenes:
		return [2]string{"The level advanced needs evidence from {need} kinds of scene; there is {have}.", "“卓越”等级需要来自 {need} 种场景的数据，目前有 {have} 种。"}
	case ReasonLanguage:
		return [2]string{"{havePct} % of the messages are in a language that cannot be read here; at most {needPct} % are allowed.", "{havePct}% 的消息使用了暂不支持的语言，最多允许 {needPct}%。"}
	case ReasonCopied:
		return [2]string{"{havePct} % of the messages are pasted, automatic or near copies of each other.", "{havePct}% 的消息为粘贴、自动发送或彼此近乎相同的内容。"}
	case ReasonErrorRates:
		return [2]string{"For part of the messages the model's error rate in their language is not known.", "部分消息所用语言的模型误差率尚不清楚。"}
	case ReasonHeadMissing:
		return [2]string{"The model in use cannot judge this skill.", "当前使用的模型无法评估这项能力。"}
	case ReasonModelOutput:
		return [2]string{"The model gave values that make no sense; no number is shown.", "模型给出了无效的数值，因此不显示任何分数。"}
	case ReasonModel:
		return [2]string{"The model could not be used; no number is shown.", "模型无法使用，因此不显示任何分数。"}
	}
	return [2]string{"Not available.", "不可用。"}
}
