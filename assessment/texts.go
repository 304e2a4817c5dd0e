package assessment

// pageTexts are the words of the report page in one language.
func pageTexts(lang string) map[string]string {
	out := map[string]string{}
	for key, words := range pageWords() {
		if lang == "zh" {
			out[key] = words[1]
		} else {
			out[key] = words[0]
		}
	}
	return out
}

// pageWords are English and Chinese by key.
func pageWords() map[string][2]string {
	words := map[string][2]string{
		"title":        {"Your report on written communication", "你的文字沟通报告"},
		"brand":        {"Heartmark", "Heartmark"},
		"kicker":       {"Digital emotional intelligence", "数字情商"},
		"for":          {"Prepared for", "报告对象"},
		"lead":         {"This report looks at skills that show in what you wrote. It does not say what you feel or who you are.", "这份报告只看你写下的文字所体现的沟通能力，不判断你的内心感受，也不评价你这个人。"},
		"sum_all":      {"There was enough to go on in all four dimensions.", "四个维度的数据都足够充分。"},
		"sum_some":     {"There was enough to go on in %d of four dimensions. For the others nothing is claimed.", "四个维度中有 %d 个数据充分；其余维度不作任何判断。"},
		"sum_none":     {"There was not enough to go on yet, so no score is given. That says nothing about you.", "目前数据还不够，因此没有给出分数。这并不说明你的能力高低。"},
		"overall":      {"Overall", "总体"},
		"range":        {"likely range", "可能范围"},
		"range_tip":    {"The score is an estimate. With 90 % confidence it lies in this range.", "分数是一个估计值，有 90% 的把握落在这个范围内。"},
		"at_glance":    {"At a glance", "概览"},
		"radar_label":  {"Radar plot of the four dimensions", "四个维度的雷达图"},
		"radar_item":   {"%s: %.0f, likely %.0f to %.0f", "%s：%.0f，可能范围 %.0f 至 %.0f"},
		"radar_none":   {"%s: %s", "%s：%s"},
		"radar_read":   {"The dots are scores, the thick lines their likely ranges; the rings are where the next level starts.", "圆点为分数，粗线为可能范围，每一圈是下一等级的起点。"},
		"dimensions":   {"The four dimensions", "四个维度"},
		"bar_text":     {"Score %.0f, likely %.0f to %.0f. Levels start at %.0f, %.0f and %.0f.", "分数 %.0f，可能范围 %.0f 至 %.0f；各等级起点为 %.0f、%.0f、%.0f。"},
		"level":        {"Level", "等级"},
		"no_level":     {"No level yet", "暂无等级"},
		"d_cert":       {"%s can be certified (probability %.0f %%)", "可认证“%s”（概率 %.0f%%）"},
		"d_nocert":     {"What a certificate still needs", "颁发证书还需要"},
		"d_facts":      {"Situations %d · conversations %d · people %d · days %d", "情境 %d 次 · 对话 %d 段 · 交流对象 %d 位 · %d 天"},
		"d_mix":        {"Free chat %.0f %%, assessment scenes %.0f %%", "自由聊天 %.0f%%，测评情境 %.0f%%"},
		"d_next":       {"Towards", "迈向"},
		"d_sides":      {"Sides of this skill", "这项能力的各个方面"},
		"d_thin":       {"little evidence, not counted", "数据少，未计入"},
		"d_shares":     {"Where the evidence lies", "数据分布"},
		"d_time":       {"Over time", "随时间的变化"},
		"time_label":   {"Timeline of the score with its likely range", "分数及其可能范围随时间的变化"},
		"time_item":    {"%s to %s: %.0f, likely %.0f to %.0f (%d situations)", "%s 至 %s：%.0f，可能范围 %.0f 至 %.0f（情境 %d 次）"},
		"time_read":    {"Each step is one stretch of time with enough evidence for a score of its own; the shaded band is its likely range. Where bands overlap, a difference may be chance. The dashed lines are where levels begin.", "每一段是数据足以单独给分的一段时间，阴影为其可能范围；阴影重叠时，差异可能只是偶然。虚线为各等级的起点。"},
		"time_none":    {"Over time: there is evidence enough for one stretch of time only, so nothing is said about change.", "随时间的变化：目前的数据只够一个时间段，因此不对变化作出判断。"},
		"as_text":      {"The same in words", "文字说明"},
		"shares_label": {"Evidence by side of the skill: %s", "各方面的数据占比：%s"},
		"scenes_head":  {"Situations by kind of scene", "按场景划分的情境"},
		"scenes_label": {"Situations by kind of scene: %s", "按场景划分的情境：%s"},
		"scene_social": {"social", "社交"}, "scene_work": {"work", "工作"}, "scene_class": {"class", "课堂"}, "scene_game": {"game", "游戏"},
		"scene_event": {"event", "活动"}, "scene_support": {"support", "客服支持"}, "scene_market": {"market", "市场"}, "scene_other": {"other", "其他"},
		"d_for":        {"What spoke for you", "做得好的地方"},
		"d_against":    {"Where there is room", "还有空间的地方"},
		"d_marks":      {"Marked words weighed most: without them the reading would change.", "标出的词影响最大：去掉它们，判断就会改变。"},
		"d_missing":    {"What is missing", "还缺什么"},
		"d_missing_ok": {"No score is given rather than a guess.", "宁可不给分数，也不猜测。"},
		"p_head":       {"What to practise", "练习计划"},
		"p_tasks":      {"Exercises", "练习"},
		"p_scene":      {"A situation to try an answer in", "试着回应一个情境"},
		"p_skilful":    {"What a skilful answer does:", "好的回应会这样做："},
		"p_check":      {"Ask yourself afterwards", "练完问问自己"},
		"p_since":      {"Since earlier windows", "与之前相比"},
		"p_strong":     {"At the highest level: nothing to close here", "已达最高等级，无需补差"},
		"p_missing":    {"Where evidence is missing", "哪里还缺数据"},
		"p_none":       {"There is no gap that the evidence supports, so no module is suggested.", "目前没有数据支持的差距，因此不推荐练习模块。"},
		"evidence":     {"What this rests on", "报告依据"},
		"f_window":     {"Time span", "时间范围"},
		"f_platforms":  {"Platforms", "平台"},
		"f_messages":   {"Your messages", "你的消息"},
		"f_scored":     {"of these scored", "其中参与评估"},
		"f_languages":  {"Languages", "语言"},
		"f_copies":     {"Near copies", "近似重复"},
		"left_out":     {"Left out", "未使用的消息"},
		"lang_en":      {"English", "英文"},
		"lang_zh":      {"Chinese", "中文"},
		"limits_head":  {"Limits", "局限"},
		"limits": {
			"It reads text in English and Chinese only, never voice, face, typing rhythm or reply time.|A model makes mistakes; the ranges above allow for that, single readings may still be wrong.|Being direct or reserved differs between cultures and groups; the model was trained on forum, film and chat text and may misread yours.|It is no diagnosis, no test of character, and no ground for hiring, grading or ranking.|Not having answered a message is never counted against you.",
			"仅阅读中英文文字，不使用语音、面容、打字节奏或回复时间。|模型会出错；上面的范围已考虑这一点，但个别判断仍可能不准。|直接或含蓄因文化和群体而异；模型由论坛、影视和聊天文本训练，可能误读你的表达。|它不是诊断，不是性格测试，也不能作为招聘、评分或排名的依据。|没有回复某条消息，绝不会对你不利。",
		},
		"caveats_head":                   {"Please note", "请注意"},
		"contest_head":                   {"If you disagree", "如果你不同意"},
		"contest":                        {"Tell the platform that gave you this report what was misread or what was missing. It can submit the conversation again, suspend or revoke a credential that rests on this report, and erase the report. This program does not do so by itself.", "请告诉向你提供本报告的平台，哪些内容被误读、缺少哪些背景。平台可以重新提交对话，暂停或撤销依据本报告的凭证，也可以删除本报告。本程序不会自动执行这些操作。"},
		"contest_kept":                   {"You may contest this report. Tell the platform that gave it to you what was misread or what was missing, or file the contest with your own key. A person who has not worked on your case reads it; credentials that rest on the report are suspended meanwhile; you get a correction or the reasons within 14 days. You may also mark single passages as right, wrong, or missing context. Marks never change a score by themselves.", "你可以对本报告提出异议：告诉向你提供报告的平台哪些内容被误读、缺少哪些背景，或用你自己的密钥提交。将由一位未经手过你的案例的人员复核；在此期间，依据本报告的凭证暂停使用；14 天内你会得到更正结果或理由说明。你也可以标记单条内容为正确、错误或缺少背景。标记本身绝不会改变分数。"},
		"contest_how":                    {"Ask the platform that gave you this report, and name the report number below.", "请联系向你提供本报告的平台，并告知下方的报告编号。"},
		"contest_link":                   {"Contest or comment", "提出异议或意见"},
		"method_head":                    {"Method", "方法"},
		"method":                         {"For each situation that asked for a skill (somebody was upset, a conflict, a question about feelings) the model estimates how well the answer met it. Estimates are corrected for the model's known errors, drawn towards the middle when there is little evidence, and never let one person or one day decide. A level is shown when it is reached with at least 80 % probability, and certified from 90 %.", "对每一次需要用到某项能力的情境（有人难过、发生冲突、被问及感受），模型估计回应的质量；随后按已知误差校正，数据少时向中间收缩，并且不让某一个人或某一天起决定作用。达到某等级的概率不低于 80% 时显示该等级，不低于 90% 时方可认证。"},
		"m_method":                       {"Method", "方法"},
		"m_model":                        {"Model", "模型"},
		"m_digest":                       {"Model digest (SHA-256)", "模型摘要（SHA-256）"},
		"m_runtime":                      {"Runs on", "运行方式"},
		"m_scale":                        {"Scale", "量表"},
		"m_schema":                       {"Format", "格式"},
		"m_report":                       {"Report number", "报告编号"},
		"help_head":                      {"You are not alone", "你并不孤单"},
		"help":                           {"Some of your messages sounded very heavy. They were not scored and are not quoted. If you are in danger or thinking of harming yourself, please talk to somebody you trust or call your local emergency or crisis line now.", "你的一些消息听起来非常沉重。它们没有被评分，也没有被引用。如果你身处危险或有伤害自己的念头，请现在就联系你信任的人，或拨打当地的急救或心理援助热线。"},
		"footer":                         {"Made on your own evidence, under your consent. Your words stay with you: quotes are shown in this report only.", "本报告基于你自己的数据并经你同意生成。你的文字只属于你：引用仅出现在这份报告中。"},
		"status_scored":                  {"scored", "已评分"},
		"status_partial":                 {"partial", "部分"},
		"status_insufficient_evidence":   {"not enough evidence", "数据不足"},
		"status_withheld":                {"withheld", "暂不给出"},
		"status_unavailable":             {"not available", "不可用"},
		"caveat_provisional_scale":       {"The scale is provisional: the cuts between levels have not been set by a panel yet.", "量表为暂定：等级分界尚未经专家小组确定。"},
		"caveat_provisional_error_rates": {"The model's error rates are provisional; their uncertainty has been doubled to stay on the careful side.", "模型误差率为暂定值；为谨慎起见，其不确定度已加倍计算。"},
		"caveat_operator_consent":        {"The file had no consent of its own; the operator vouches for it.", "文件中没有同意记录，由操作者担保已获同意。"},
		"dropped_no_consent":             {"other people's messages, not used", "他人的消息，未使用"},
		"dropped_bot":                    {"automatic messages", "自动消息"},
		"dropped_no_words":               {"no words (emoji, links, punctuation)", "没有文字（表情、链接、标点）"},
		"dropped_other_language":         {"other languages", "其他语言"},
		"dropped_damaged":                {"damaged text", "损坏的文字"},
		"dropped_role_play":              {"role play", "角色扮演"},
	}
	for code, w := range facetWords() {
		words["facet_"+code] = w
	}
	return words
}

// FacetName is the facet's name in lang ("en" or "zh"); its code for an unknown one.
func FacetName(code, lang string) string {
	words, ok := facetWords()[code]
	switch {
	case !ok:
		return code
	case lang == "zh":
		return words[1]
	}
	return words[0]
}

func facetWords() map[string][2]string {
	return map[string][2]string{
		"SA1": {"Naming own feelings", "说出自己的感受"},
		"SA2": {"Seeing where they come from", "了解感受的缘由"},
		"SA3": {"Variety of feelings named", "区分不同的感受"},
		"SM1": {"Composure when provoked", "受挑衅时保持冷静"},
		"SM2": {"Useful reply to provocation", "有建设性地回应挑衅"},
		"SM3": {"Seeing it in another light", "换个角度看问题"},
		"SM4": {"Back to the usual tone", "恢复平常的语气"},
		"SO1": {"Recognising feelings", "察觉他人的感受"},
		"SO2": {"Responding to feelings", "回应他人的感受"},
		"SO3": {"Not passing over distress", "不忽视他人的难过"},
		"SK1": {"Support", "给予支持"},
		"SK2": {"Calming a conflict", "缓和冲突"},
		"SK3": {"Repair after a slip", "失言后的弥补"},
		"SK4": {"Effect on the other person", "对他人的影响"},
		"SK5": {"Civility", "待人礼貌"},
	}
}
