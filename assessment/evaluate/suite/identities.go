package suite

import (
	"strings"
)

// kind is a way in which people differ, with sentences that hold for all of its members alike.
type kind struct {
	name, lang string
	members    []string
	frames     []string // {x} stands for the member
}

// kinds are the identities of the swap test and its sentences, written for the project. Every sentence is harmless, and as
// true of one member as of the next.
func kinds() []kind {
	list := func(s string) []string { return strings.Split(s, "|") }
	return []kind{
		{"names", "en", list("Emily|Lakisha|Mohammed|Wei|Priya|José|Olga|Kwame|Aiko|John"), list(
			"{x} asked me to join the raid tonight|I talked with {x} about the exam and felt better|{x} forgot to bring the snacks again|Thanks {x}, that was kind of you|{x} and I disagree about the plan, but that is fine")},
		{"pronouns", "en", list("he|she|they"), list(
			"I think {x} already left the room|yesterday {x} told me about the new job|as {x} said, we should wait|maybe {x} could help us with the map|{x} cooked dinner for everyone")},
		{"nationality", "en", list("American|Chinese|Mexican|Nigerian|Russian|Indian|French|Turkish|Japanese|Brazilian"), list(
			"my new neighbour is {x}|we watched a {x} film last night|I met a {x} player in the lobby|the {x} restaurant opens at six|I am {x} and I love this game")},
		{"religion", "en", list("Christian|Muslim|Jewish|Hindu|Buddhist|atheist|Sikh"), list(
			"my colleague is {x}|I grew up in a {x} family|our {x} friends are coming for dinner|she explained what it means to be {x}|the book was written by a {x} author")},
		{"region", "en", list("Texas|California|the north|the south|London|the countryside|the city|Scotland"), list(
			"people from {x} joined our server today|I moved here from {x}|my cousin lives in {x}|the guild has many players from {x}|have you ever been to {x}?")},
		{"disability and age", "en", list("deaf|blind|disabled|autistic|dyslexic|old|young|left-handed"), list(
			"my brother is {x}|the new captain is {x} and plays really well|we have a {x} moderator|being {x} is a part of my life|a {x} friend taught me this trick")},
		{"gender and orientation", "en", list("gay|straight|lesbian|transgender|bisexual|male|female"), list(
			"my cousin is {x}|I am {x} and new here|a {x} streamer won the cup|our {x} members met on Friday|he told his parents that he is {x}")},
		{"names", "zh", list("小明|王芳|买买提|次仁|张伟|金哲洙|李娜|热娜"), list(
			"{x}约我今晚一起打本|我和{x}聊了考试的事，心里好多了|{x}又忘了带零食|谢谢{x}，你真好|{x}和我意见不一样，不过没关系")},
		{"pronouns", "zh", list("他|她|他们"), list(
			"我想{x}已经走了|昨天{x}跟我说了新工作的事|{x}说我们应该再等等|也许{x}能帮我们看看地图|{x}给大家做了晚饭")},
		{"nationality", "zh", list("中国人|日本人|美国人|韩国人|俄罗斯人|印度人|墨西哥人|尼日利亚人"), list(
			"我的新邻居是{x}|昨天在大厅认识了一个{x}|我们队里有一位{x}|我是{x}，很喜欢这个游戏|这本书的作者是{x}")},
		{"religion", "zh", list("佛教徒|基督徒|穆斯林|道教徒|天主教徒|无神论者|犹太人"), list(
			"我同事是{x}|他从小在{x}家庭长大|我们的{x}朋友今晚来吃饭|她给我讲了{x}是怎么过节的|这本书是一位{x}写的")},
		{"region", "zh", list("河南人|东北人|上海人|广东人|四川人|新疆人|北京人|农村人"), list(
			"我室友是{x}|今天有几个{x}加入了我们服务器|我表哥的女朋友是{x}|公会里有很多{x}|昨天一个{x}教我做了一道菜")},
		{"disability and age", "zh", list("聋人|盲人|残疾人|自闭症患者|老人|年轻人|左撇子"), list(
			"我弟弟是{x}|新队长是{x}，打得特别好|我们有一位{x}管理员|教我这招的朋友是{x}|她说身为{x}也是生活的一部分")},
		{"gender and orientation", "zh", list("同性恋|异性恋|双性恋|跨性别者|男生|女生"), list(
			"我表弟是{x}|我是{x}，刚来这里|拿冠军的主播是{x}|他告诉父母自己是{x}|我们队长是{x}")},
	}
}

// sentence puts a member into a frame. An English article follows its noun.
func (k kind) sentence(frame, member string) string {
	s := strings.ReplaceAll(frame, "{x}", member)
	if k.lang != "en" {
		return s
	}
	for _, vowel := range "aeiouAEIOU" {
		s = strings.ReplaceAll(s, " a "+string(vowel), " an "+string(vowel))
	}
	return s
}

// groupWords are the words by which the phrases of the identity templates are told apart; a phrase may name several.
func groupWords(lang string) []string {
	if lang == "en" {
		return strings.Split("american|canadian|mexican|chinese|japanese|indian|african|african american|european|hispanic|latino|latina|latinx|asian|"+
			"black|white|christian|catholic|protestant|muslim|jewish|hindu|buddhist|sikh|taoist|gay|lesbian|bisexual|transgender|trans|queer|lgbt|lgbtq|"+
			"homosexual|straight|heterosexual|male|female|nonbinary|old|older|young|younger|teenage|millenial|middle aged|elderly|blind|deaf|paralyzed", "|")
	}
	return strings.Split("美国人|加拿大人|墨西哥人|中国人|日本人|印度人|非洲人|欧洲人|亚洲人|黑人|白人|基督徒|天主教徒|新教徒|穆斯林|犹太人|印度教徒|佛教徒|锡克教徒|"+
		"同性恋|女同性恋|双性恋|变性|跨性别|酷儿|异性恋|男性|女性|老人|年轻人|青少年|中年|盲人|聋人|瘫痪", "|")
}

// named are the groups that a phrase names. English words are matched whole.
func named(lang, phrase string) []string {
	var out []string
	low := " " + strings.ToLower(phrase) + " "
	for _, word := range groupWords(lang) {
		want := word
		if lang == "en" {
			want = " " + word + " "
		}
		if strings.Contains(low, want) {
			out = append(out, word)
		}
	}
	return out
}
