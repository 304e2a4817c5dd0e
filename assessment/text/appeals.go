package text

import (
	"regexp"
	"strings"
)

// reAppeal finds sentences that speak to whoever or whatever scores: "give me full marks", "ignore the rules". It asks for an
// instruction or a grade, so that news of a good mark at school is none.
var reAppeal = regexp.MustCompile(`\b(dear|hey|hi|to the|note to( the)?|attention) (scorers?|graders?|raters?|assessors?|evaluators?|model|classifier|ai)\b|` +
	`^\W*(scorers?|graders?|raters?|assessors?|evaluators?|system|assessment|output|prompt)\s*[:,\]】]|` +
	`\b(give|award|grant) (me|this|it|us)\b.{0,24}\b(points?|marks?|score|grade|level|stars)\b|` +
	`\b(rate|score|grade|mark|count) (this|it|my|me|these)\b.{0,30}\b(as|at|with|perfect|excellent|highest|high|full|top|maximum|best|out of)\b|` +
	`\b(ignore|forget|disregard) (all|any|the|your|these|previous)\b.{0,20}\b(rules?|instructions?|guidelines?|prompts?|criteria)\b|` +
	`\bset (the |my |every |all )?[a-z ]{0,24}\bto (the )?(max|maximum|highest|full|100)\b|` +
	`\bdeserves? (the )?(highest|top|full|maximum|best|perfect) (level|score|grade|marks?|rating)\b|\b(full|top|maximum) (marks|points|score),? please\b|` +
	`^\W*(score|level|rating)\s*[=:]\s*\S+$|` +
	`(评分|打分|评估|阅卷)(系统|员|的?人|老师|者|模型)|(请|给).{0,8}(打|给|评).{0,4}(满分|最高分|高分|一百分|十分)|(评|标|判|算)(为|作|成)(完美|优秀|最高|满分)|` +
	`(忽略|无视|别管|不要管|忘掉).{0,8}(规则|标准|指令|提示|准则)|(把|将).{0,10}(设|调|改)(为|成|到)(最高|最大|满分)|(应该|应当|值得)(得|给|评).{0,6}(最高|满分)|` +
	`^\W*(系统|输出|评估|得分|等级)\s*[:：=＝]`)

// dropAppeals removes sentences that speak to the scorer, unless nothing else is said: they must not move what the rest
// is worth (assessment design, section 11). s is in small letters.
func dropAppeals(s string) string {
	if !reAppeal.MatchString(s) {
		return s
	}
	var kept []string
	for _, sentence := range Sentences(s) {
		if !reAppeal.MatchString(sentence) {
			kept = append(kept, sentence)
		}
	}
	if rest := strings.Join(kept, ""); SentenceKey(rest) != "" {
		return rest
	}
	return s
}
