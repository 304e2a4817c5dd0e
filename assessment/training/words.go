package training

import (
	"fmt"
	"slices"
	"strings"

	"heartmark/assessment"
	"heartmark/schemas"
)

// both fills an English and a Chinese frame with values chosen by language.
func both(en, zh string, values func(lang string) []any) Text {
	return Text{
		EN: fmt.Sprintf(en, values(schemas.LanguageEnglish)...),
		ZH: fmt.Sprintf(zh, values(schemas.LanguageChinese)...),
	}
}

// whyChosen says why a module is in the plan, without a number of the report.
func whyChosen(d schemas.Dimension, facet string, level schemas.Level, m Module, scenes map[string]int) Text {
	t := both(
		"“%s” is a side of %s that lies below where the level “%s” begins; with its uncertainty and its part in the whole, this gap weighs more than others.",
		"“%s”是“%s”的一个方面，目前低于“%s”等级的起点；把误差和它所占的比重都算上，这里的差距最值得先补。",
		func(lang string) []any {
			return []any{assessment.FacetName(facet, lang), strings.ToLower(d.Name(lang)), level.Name(lang)}
		})
	used := scenesByUse(scenes)
	fitting := slices.DeleteFunc(slices.Clone(used), func(kind string) bool { return len(m.Scenes) > 0 && !slices.Contains(m.Scenes, kind) })
	switch {
	case len(used) == 0:
		return t
	case len(fitting) > 0:
		where := both(" Your %s scenes give room to practise it.", "你在%s场景中的交流有机会练习它。", sceneNames(fitting[:min(2, len(fitting))]))
		return Text{EN: t.EN + where.EN, ZH: t.ZH + where.ZH}
	}
	return Text{
		EN: t.EN + " Your usual scenes give little occasion for it, so begin with the exercises in writing.",
		ZH: t.ZH + "你平时的场景里机会不多，可以先用书面练习开始。",
	}
}

// sceneNames gives the names of kinds of scene, joined, in a language.
func sceneNames(kinds []string) func(lang string) []any {
	return func(lang string) []any {
		names := make([]string, len(kinds))
		for i, k := range kinds {
			names[i] = SceneName(k, lang)
		}
		if lang == schemas.LanguageChinese {
			return []any{strings.Join(names, "和")}
		}
		return []any{strings.Join(names, " and ")}
	}
}

// SceneName is the name of a kind of scene in lang ("en" or "zh"); the code itself for an unknown one.
func SceneName(kind, lang string) string {
	t, ok := map[string]Text{
		"social": {"social", "社交"}, "work": {"work", "工作"}, "class": {"class", "课堂"}, "game": {"game", "游戏"},
		"event": {"event", "活动"}, "support": {"support", "客服"}, "market": {"market", "交易"}, "other": {"other", "其他场景"},
	}[kind]
	if !ok {
		return kind
	}
	return t.In(lang)
}

// advise says what evidence a dimension without score lacks, and how to come by it honestly.
func advise(d schemas.Dimension, rep assessment.DimensionReport) Advice {
	a := Advice{Dimension: d, Reasons: []Text{}}
	for _, r := range rep.Reasons {
		if !r.Certify() {
			a.Reasons = append(a.Reasons, Text{EN: r.EN, ZH: r.ZH})
		}
	}
	switch rep.Status {
	case assessment.StatusUnavailable:
		a.Advice = Text{"The classifier could not be used. Ask for the report again; nothing is asked of you.", "当时分类器无法使用。请重新生成报告，你不需要做什么。"}
	case assessment.StatusWithheld:
		a.Advice = Text{"This dimension was held back because of the quality of the data. Messages of your own, written freely, are what helps.", "由于数据质量，这个维度暂不给出结果。多一些你自己随手写下的消息会有帮助。"}
	default:
		a.Advice = adviceFor(d)
	}
	return a
}

// adviceFor names the situations that bring evidence for a dimension.
func adviceFor(d schemas.Dimension) Text {
	switch d {
	case schemas.DimensionSelfAwareness:
		return Text{
			"No gap is claimed. What is missing are conversations in which you speak of how you feel, or are asked; the assessment scenes have such questions.",
			"这里不判断差距。缺少的是你谈到自己感受、或有人问起的对话；测评情境里有这样的提问。",
		}
	case schemas.DimensionSelfManagement:
		return Text{
			"No gap is claimed. Nobody should look for quarrels: the assessment scenes bring provocations that are safe to answer.",
			"这里不判断差距。不必去找人吵架：测评情境里有可以放心回应的挑衅。",
		}
	case schemas.DimensionSocialAwareness:
		return Text{
			"No gap is claimed. What is missing are answers to people who share something sad or glad, with several people and on several days.",
			"这里不判断差距。缺少的是你对他人难过或高兴的消息的回应，最好来自不同的人、不同的日子。",
		}
	case schemas.DimensionSocialSkills, schemas.DimensionOverall:
	}
	return Text{
		"No gap is claimed. What is missing are exchanges in which somebody needs help, thanks, or a calming word; group chats and the assessment scenes have them.",
		"这里不判断差距。缺少的是有人需要帮助、感谢或劝解的交流；群聊和测评情境里都会遇到。",
	}
}

// whyRetired says why a module ended.
func whyRetired(m Module, next ModuleID, facet string) Text {
	end := Text{"another side of the skill comes first for now", "目前先练这项能力的其他方面"}
	if next != "" {
		end = Text{"another module for the same side takes its place", "换成同一方面的另一个模块"}
	}
	return both(
		"After two windows without a reliable change for the better, “%s” (%s) ends; %s.",
		"“%s”（%s）经过两个时间段没有可靠的提升，到此为止；%s。",
		func(lang string) []any {
			return []any{m.Title.In(lang), assessment.FacetName(facet, lang), end.In(lang)}
		})
}
