package text

import (
	"math"
	"strings"
	"sync"
	"unicode"
)

// Languages that Language tells apart.
const (
	English = "en"
	Chinese = "zh"
	Other   = "other"
)

// Language names the language of a text (English, Chinese or Other) and how sure that is, from 0 to 1. Scripts decide
// first; a Latin text is English unless the function words or letters of another language outweigh the English ones.
// Short texts without any evidence are English at 0.5; texts without letters are Other at 0. Mixed English and Chinese
// counts as the one with more words, at a confidence that follows its share.
func Language(s string) (lang string, confidence float64) {
	n := countScripts(s)
	chinese := float64(n.han) / 1.6 // an average Chinese word has about 1.6 characters
	english := float64(n.latinWords)
	foreign := float64(n.kana)/2 + float64(n.hangul)/2 + float64(n.otherLetters)/5
	total := chinese + english + foreign
	switch {
	case total == 0:
		return Other, 0
	case foreign > 0 && float64(n.kana) > 0.15*float64(n.kana+n.han) && n.kana > 1:
		// Japanese: its ideographs are not Chinese evidence
		return Other, share(foreign+chinese, english)
	case foreign >= english && foreign >= chinese:
		return Other, share(foreign, english+chinese)
	case chinese >= english:
		return Chinese, share(chinese, english+foreign)
	}
	lang, sure := latinLanguage(s)
	return lang, sure * share(english, chinese+foreign)
}

// share is how sure a majority is: near 1 alone, 0.5 when both sides weigh the same; a little less for very short texts.
func share(mine, others float64) float64 {
	return math.Round(1000*(mine+0.02)/(mine+others+0.06)) / 1000
}

type scripts struct{ han, kana, hangul, latinWords, otherLetters int }

func countScripts(s string) scripts {
	var n scripts
	latin := false
	for _, r := range s {
		if r != '\'' && r != '’' && !unicode.IsMark(r) && (!unicode.IsLetter(r) || !unicode.Is(unicode.Latin, r)) {
			latin = false
		}
		switch {
		case !unicode.IsLetter(r):
		case unicode.Is(unicode.Latin, r):
			if !latin {
				n.latinWords++
			}
			latin = true
		case unicode.Is(unicode.Han, r):
			n.han++
		case unicode.In(r, unicode.Hiragana, unicode.Katakana):
			n.kana++
		case unicode.Is(unicode.Hangul, r):
			n.hangul++
		default:
			n.otherLetters++
		}
	}
	return n
}

// words of a language: those so common that a sentence rarely lacks them, without the ones that English spells alike.
func words(list string) map[string]bool {
	set := make(map[string]bool)
	for _, w := range strings.Fields(list) {
		set[w] = true
	}
	return set
}

var englishWords = sync.OnceValue(func() map[string]bool {
	return words(`the a an and or but if of to in on at for with from by as is are was were be been am i'm it it's its
i you he she we they me him her us them my your his our their this that these those what who how when where why which
not no don't didn't doesn't isn't can't won't do does did have has had will would can could should just so very really too
there here then than all some any more most about up out get got go going know think like want need feel good great bad
sorry thanks thank please yes yeah yep nope ok okay hey hi hello lol lmao omg idk btw gg wp nice cool wow well oh
one time day people make made see let back now today right love hate why because really much still even over after before
you're we're they're i've you've i'll we'll that's what's let's team game everyone someone something nothing never always
u ur im dont cant didnt thats gonna wanna gotta help sure maybe again first last next long morning night tomorrow`)
})

// foreignWords has such words of the other languages that are often met in Latin letters.
var foreignWords = sync.OnceValue(func() map[string]map[string]bool {
	return map[string]map[string]bool{
		"es": words(`el los las una que de del y en por para con es está estoy son era muy pero como más mi tu su lo le se nos
	esto esta ese eso qué cómo porque cuando donde también gracias hola bueno bien sí ya hay todo nada vamos tengo tienes quiero puede hoy`),
		"fr": words(`le les des une est et que qui dans pour pas sur avec je tu il elle nous vous ils mais ou où ce cette c'est j'ai
	je suis très plus bien merci bonjour oui non aussi tout rien faire fait quand comme mon ton son mes tes ses moi toi aujourd'hui`),
		"de": words(`der die das und ist nicht ein eine einen ich du er sie wir ihr es mit auf für von zu den dem sich auch aber
	wie was wenn dann noch schon sehr danke bitte ja nein kein keine mein dein sein habe hast bin bist sind heute gut warum wo`),
		"it": words(`il lo gli una che di del della e è sono non con per più ma come mi ti si ci io tu lui lei noi voi questo
	questa quello anche grazie ciao bene sì molto tutto niente quando perché dove ho hai abbiamo oggi fatto`),
		"pt": words(`os as um uma que de do da em por para com é são não mas como mais meu minha seu sua você eu ele ela nós
	isso este esta também obrigado obrigada olá bom bem sim muito tudo nada quando porque onde tenho tem hoje foi está`),
		"nl": words(`de het een en van ik je hij zij wij niet dat die met voor op te zijn was maar ook als dan nog wel geen
	heb hebt heeft bent wat hoe waar waarom dank bedankt ja nee goed vandaag mijn jouw ons heel`),
		"id": words(`yang dan di ke dari untuk dengan tidak ini itu saya aku kamu dia kami kita mereka ada bisa akan sudah
	belum juga apa siapa kenapa bagaimana terima kasih iya bagus banget sangat hari lagi nggak gak`),
		"tr": words(`bir ve bu da de için ile çok ama ben sen biz siz onlar ne nasıl neden evet hayır var yok gibi daha kadar
	teşekkürler merhaba iyi şey değil mi mı mu olarak bugün`),
		"pl": words(`i w z na nie się że to jest do jak ale co czy po tak ja ty on ona my wy oni mam masz był była dziękuję
	cześć dobrze bardzo już tylko dlaczego gdzie kiedy dziś`),
		"vi": words(`là và của không có cho được với một người này tôi bạn anh em chị nó chúng các những thì mà đã sẽ
	rất cảm ơn xin chào vâng gì sao nào khi hôm nay`),
		"sv": words(`och att det som en på är av för med till den inte jag du han hon vi de ett om men var så från har hade
	tack hej ja nej bra mycket idag varför hur`),
		"ro": words(`și de la în un o nu cu pe ce este sunt am ai are eu tu el ea noi voi ei din pentru mai foarte dar cum
	mulțumesc bună da bine astăzi unde când`),
		"tl": words(`ang ng mga sa na ay ko mo niya kami tayo sila ito iyan hindi oo po salamat ano bakit paano kasi lang
	naman din rin yung ako ikaw siya`),
	}
})

// foreignLetters do not occur in English words other than a few loans.
const foreignLetters = "ñáíóúàèìòùâêîôûãõçäöüßåøæœłśźżćńęąğışțșăđơưạảấầẩẫậắằẳẵặẹẻẽếềểễệỉịọỏốồổỗộớờởỡợụủứừửữựỳỵỷỹ¿¡"

// latinLanguage weighs English against the other languages written in Latin letters.
func latinLanguage(s string) (string, float64) {
	english, count, accents := 0.0, 0, 0
	foreign := make(map[string]float64, len(foreignWords()))
	for _, w := range strings.FieldsFunc(strings.ToLower(strings.ReplaceAll(s, "’", "'")), func(r rune) bool {
		return r != '\'' && !unicode.IsLetter(r) && !unicode.IsMark(r)
	}) {
		w = strings.Trim(w, "'")
		if w == "" {
			continue
		}
		count++
		if englishWords()[w] {
			english++
		}
		if strings.ContainsAny(w, foreignLetters) {
			accents++
		}
		for lang, set := range foreignWords() {
			if set[w] {
				foreign[lang]++
			}
		}
	}
	best := 0.0
	for _, n := range foreign {
		best = max(best, n)
	}
	best += 0.7 * float64(min(accents, 4))
	if best > english && (best >= 2 || english == 0 && best >= 1.7) {
		return Other, math.Min(0.99, 0.6+0.4*(best-english)/(best+english+0.5))
	}
	if english == 0 {
		return English, 0.5
	}
	return English, math.Min(0.99, 0.6+0.4*(english-best+0.2*float64(count))/(english+best+0.2*float64(count)+0.3))
}
