package schemas

// dimensionWords are the texts of one dimension.
type dimensionWords struct{ name, phrase, description text }

// dimensionText returns the texts of d; they are empty for what is no dimension.
func dimensionText(d Dimension) dimensionWords {
	switch d {
	case DimensionSelfAwareness:
		return dimensionWords{
			name:   text{"Self-awareness", "自我意识"},
			phrase: text{"self-awareness", "自我意识"},
			description: text{
				"Notices one's own feelings in online exchanges and names them, with their cause and their shades.",
				"在线上交流中觉察自己的情绪，并能说出其名称、缘由与细微差别。",
			},
		}
	case DimensionSelfManagement:
		return dimensionWords{
			name:   text{"Self-management", "自我管理"},
			phrase: text{"self-management", "自我管理"},
			description: text{
				"Stays composed when provoked online, recovers, and looks at the matter in another light.",
				"在线上受到挑衅时保持冷静，能够平复情绪，并换一个角度看待事情。",
			},
		}
	case DimensionSocialAwareness:
		return dimensionWords{
			name:   text{"Social awareness", "社交意识"},
			phrase: text{"social awareness", "社交意识"},
			description: text{
				"Recognises what others feel in online exchanges and responds to it.",
				"在线上交流中察觉他人的感受，并作出回应。",
			},
		}
	case DimensionSocialSkills:
		return dimensionWords{
			name:   text{"Social skills", "社交技能"},
			phrase: text{"social skills", "社交技能"},
			description: text{
				"Changes the emotional course of an online exchange for the better: supports, repairs, calms, builds rapport.",
				"使线上交流的情绪走向变好：给予支持、修复关系、缓和冲突、建立融洽。",
			},
		}
	case DimensionOverall:
		return dimensionWords{
			name:   text{"Overall", "总体"},
			phrase: text{"digital emotional intelligence overall", "数字情商总体"},
			description: text{
				"The four dimensions taken together. Stated only when all four are, and at most one level above the lowest of them.",
				"四个维度的综合结果。仅在四个维度均有等级时给出，且最多比其中最低的一项高一级。",
			},
		}
	}
	return dimensionWords{}
}

// levelName returns the name of l.
func levelName(l Level) text {
	switch l {
	case LevelEmerging:
		return text{"Emerging", "萌芽"}
	case LevelDeveloping:
		return text{"Developing", "发展"}
	case LevelProficient:
		return text{"Proficient", "熟练"}
	case LevelAdvanced:
		return text{"Advanced", "卓越"}
	}
	return text{}
}

// rubricText returns what a person at level l of d does; it is empty for what is no level or no dimension.
func rubricText(d Dimension, l Level) text {
	if !l.Valid() {
		return text{}
	}
	return rubricRow(d)[l-1]
}

// rubricRow returns the rubric of d, lowest level first.
func rubricRow(d Dimension) [4]text {
	switch d {
	case DimensionOverall:
		return [4]text{
			{
				"Feelings, one's own and other people's, are mostly passed over, and tense exchanges tend to get worse.",
				"大多忽略自己与他人的情绪，紧张的交流往往越来越僵。",
			},
			{
				"Notices feelings that are plain to see and stays polite; mostly so when asked or when little is at stake.",
				"能注意到明显的情绪并保持礼貌，但多半是在被问及或压力不大时。",
			},
			{
				"Names feelings and answers those of others; is composed as a rule, gives support and repairs what went wrong.",
				"能说出情绪并回应他人的感受；通常保持冷静，给予支持，并修复出现的问题。",
			},
			{
				"Reads mixed and unspoken feelings, stays composed under repeated pressure, and leaves exchanges better than they were.",
				"能读懂复杂和未明说的情绪，在反复的压力下保持冷静，并让交流变得比之前更好。",
			},
		}
	case DimensionSelfAwareness:
		return [4]text{
			{
				"Vents, or denies having feelings when asked. Feelings show in the messages but are not named.",
				"发泄情绪，或在被问及时否认有情绪；情绪流露在文字里，却没有说出来。",
			},
			{
				"Names feelings in broad terms, such as good, bad or stressed.",
				"能用笼统的词说出自己的状态，如好、不好、有压力。",
			},
			{
				"Names specific feelings, such as disappointed or relieved, and often says what brought them about.",
				"能说出具体的情绪，如失望、松了一口气，并常常说明缘由。",
			},
			{
				"Names mixed or changing feelings without being asked, and sees how they affect other people.",
				"不待他人询问，就能说出复杂或变化中的情绪，并看到这些情绪对他人的影响。",
			},
		}
	case DimensionSelfManagement:
		return [4]text{
			{
				"Answers provocation in kind.",
				"受到挑衅时以同样的方式回击。",
			},
			{
				"Holds back at times when provoked, and takes long to settle again.",
				"受到挑衅时有时能克制，但需要较长时间才能平复。",
			},
			{
				"Stays composed most of the time and is back to the usual tone within a few messages.",
				"大多数时候保持冷静，几条消息之内就能恢复平常的语气。",
			},
			{
				"Stays composed under repeated provocation, sees the matter in another light and keeps the exchange useful.",
				"在反复的挑衅下仍保持冷静，能换一个角度看问题，并使交流继续有益。",
			},
		}
	case DimensionSocialAwareness:
		return [4]text{
			{
				"Passes over what others feel, or plays it down.",
				"忽略他人的感受，或将其轻描淡写。",
			},
			{
				"Notices what others feel when they say so plainly.",
				"在他人明确说出感受时能够注意到。",
			},
			{
				"Puts the other person's feeling into words and asks about it.",
				"能把对方的感受说出来，并加以询问。",
			},
			{
				"Picks up hints and mixed feelings, and fits the reply to the person.",
				"能察觉言外之意和复杂的情绪，并因人而异地回应。",
			},
		}
	case DimensionSocialSkills:
		return [4]text{
			{
				"Makes tense exchanges worse, or keeps replies curt.",
				"让紧张的交流火上浇油，或者回复生硬简短。",
			},
			{
				"Is polite, and helps when asked.",
				"有礼貌，在被请求时提供帮助。",
			},
			{
				"Supports others, thanks them, and puts right what went wrong.",
				"支持他人，表达感谢，并修复出现的问题。",
			},
			{
				"Turns conflicts around: mediates, repairs without being asked, and others end calmer than they began.",
				"能化解冲突：居中调解，主动修复关系，使他人最终比开始时更平静。",
			},
		}
	}
	return [4]text{}
}
