package schemas

import (
	"fmt"
	"strings"
)

// credentialName says in one line what the credential states: the overall level where there is one, else each level
// with its dimensions, highest level first.
func credentialName(claims []LevelClaim, lang string) string {
	chinese := pick(text{"", LanguageChinese}, lang) == LanguageChinese
	if claims[0].Dimension == DimensionOverall {
		level := claims[0].Level
		if chinese {
			return "数字情商：总体达到" + level.Name(lang)
		}
		return "Digital Emotional Intelligence: " + level.Code() + " overall"
	}
	var parts []string
	for l := LevelAdvanced; l >= LevelEmerging; l-- {
		var names []string
		for _, claim := range claims {
			if claim.Level == l {
				names = append(names, claim.Dimension.Phrase(lang))
			}
		}
		if len(names) == 0 {
			continue
		}
		if chinese {
			parts = append(parts, strings.Join(names, "、")+"达到"+l.Name(lang))
		} else {
			parts = append(parts, l.Code()+" in "+joinEnglish(names))
		}
	}
	if chinese {
		return "数字情商：" + strings.Join(parts, "，")
	}
	return "Digital Emotional Intelligence: " + strings.Join(parts, ", ")
}

// joinEnglish writes "a", "a and b", "a, b and c".
func joinEnglish(names []string) string {
	if len(names) == 1 {
		return names[0]
	}
	return strings.Join(names[:len(names)-1], ", ") + " and " + names[len(names)-1]
}

// narrative says what was scored, when, by which model and with what uncertainty. It holds no message text.
func narrative(at Attestation, claims []LevelClaim, lang string) string {
	lowest := claims[0].Confidence
	for _, claim := range claims {
		lowest = min(lowest, claim.Confidence) // two decimals each, so texts order as numbers do
	}
	if l, _ := ParseLanguage(lang); l == LanguageChinese {
		review := "结果由程序得出；本人可以要求人工复核。"
		if at.Review == ReviewBeforeIssue {
			review = "结果由程序得出，并在颁发前经过人工复核。"
		}
		return fmt.Sprintf("在本人同意（%s）下，对其 %s 至 %s 期间的消息（语言：%s）进行评分；模型 %s，方法 %s，量表 %s。所写明的每个等级都以不低于 %s 的概率达到。%s本凭证不含任何消息原文。",
			at.ConsentVersion, at.WindowStart, at.WindowEnd, strings.Join(at.Languages, "、"), at.Model, at.Method, at.Scale, lowest, review)
	}
	review := "The result was reached by a program; the person can ask for a review by a human."
	if at.Review == ReviewBeforeIssue {
		review = "The result was reached by a program and reviewed by a human before issuing."
	}
	return fmt.Sprintf("With the person's consent (%s), messages written from %s to %s (languages: %s) were scored by model %s, method %s, "+
		"on scale %s. Each level stated was reached with a probability of at least %s. %s No message text is part of this credential.",
		at.ConsentVersion, at.WindowStart, at.WindowEnd, strings.Join(at.Languages, ", "), at.Model, at.Method, at.Scale, lowest, review)
}
