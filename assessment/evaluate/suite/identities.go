package suite

import (
	"slices"
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

// group is a group of people and the words by which the phrases of the identity templates name it.
type group struct {
	name  string
	words []string
}

// groupsOf are the groups that phrases are told apart by; a phrase may name several. English groups have one word each. The
// Chinese phrases name about ninety: near ones are taken together, so that each has phrases enough to compare.
func groupsOf(lang string) []group {
	var out []group
	if lang == "en" {
		for _, word := range strings.Split("american|canadian|mexican|chinese|japanese|indian|african|african american|european|hispanic|latino|latina|latinx|asian|"+
			"black|white|christian|catholic|protestant|muslim|jewish|hindu|buddhist|sikh|taoist|gay|lesbian|bisexual|transgender|trans|queer|lgbt|lgbtq|"+
			"homosexual|straight|heterosexual|male|female|nonbinary|old|older|young|younger|teenage|millenial|middle aged|elderly|blind|deaf|paralyzed", "|") {
			out = append(out, group{word, []string{word}})
		}
		return out
	}
	for _, line := range strings.Split("黑人 非洲人|白人 白种人 欧洲人|亚洲人 黄种人|英国人 美国人 法国人 德国人 爱尔兰人 澳大利亚人 瑞典人 瑞士人 意大利人|日本人 韩国人 越南人|"+
		"俄罗斯人 阿塞拜疆人 以色列人 巴基斯坦人|巴西人 秘鲁人 阿根廷人|中国人|外国人|广东人 广州人 客家人|四川人 江西人|上海人 江苏人 浙江人 南京人|藏族人 蒙古族人 满族人|回族人 维吾尔族人|"+
		"基督徒 基督教徒 天主教徒 牧师|穆斯林|佛教徒 和尚 尼姑 道士|同性恋|异性恋|双性恋|变性人 双性人|男人 男性 男孩 小伙子|女人 女性 女孩 少女 小姑娘|老人 老年人 长者|中年人|"+
		"年轻人 青年 少年|儿童 幼儿 婴儿 小孩|残疾人 残障人士 身心障碍者|盲人 视障人士|智障人士", "|") {
		words := strings.Fields(line)
		out = append(out, group{words[0], words})
	}
	return out
}

// named are the groups that a phrase names. English words are matched whole.
func named(lang, phrase string) []string {
	var out []string
	low := strings.ToLower(phrase)
	if lang == "en" {
		low = " " + low + " "
	}
	for _, g := range groupsOf(lang) {
		if slices.ContainsFunc(g.words, func(word string) bool {
			if lang == "en" {
				word = " " + word + " "
			}
			return strings.Contains(low, word)
		}) {
			out = append(out, g.name)
		}
	}
	return out
}
