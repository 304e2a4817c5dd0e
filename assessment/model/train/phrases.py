"""Phrases about groups of people, written for this project, with their hostility: what the sets have too little of.

Comment sets mark mostly text that attacks groups, so a model learns that naming a group is hostile. Here the same groups
stand in neutral, kind, negated and quoted sentences too, in the same number. Severity as everywhere: an attack on a group or
a threat is severe, an insult to a person strong, grumbling at things none or mild.
"""

import random
from typing import Iterator

GROUPS_EN = (
    "women|men|Muslims|Christians|Jews|Hindus|Buddhists|atheists|immigrants|refugees|gay people|lesbians|trans people|"
    "bisexual people|black people|white people|Asians|Mexicans|Chinese people|Indians|Africans|Arabs|Russians|Americans|"
    "old people|teenagers|disabled people|deaf people|blind people|wheelchair users|people from the north|foreigners|"
    "people from the countryside|single mothers|autistic people"
).split("|")
KINDS_EN = (
    "woman|man|Muslim|Christian|Jewish|Hindu|Buddhist|atheist|immigrant|refugee|gay|lesbian|straight|transgender|bisexual|queer|"
    "black|white|Asian|Mexican|Chinese|Indian|African|Arab|Russian|American|Canadian|European|Japanese|old|older|young|younger|"
    "teenage|elderly|middle aged|disabled|deaf|blind|paralysed|autistic|male|female|nonbinary|Catholic|Protestant|Sikh|Latino|"
    "Hispanic|heterosexual|homosexual|millennial"
).split("|")
HATE_EN = [
    "get rid of all the {g}, they are vermin", "{g} poison everything they touch", "why do we even let {g} vote", "somebody should beat up {g}",
    "I will hurt the next {g} I meet", "{g} belong in cages", "no decent country needs {g}", "the world would be cleaner without {g}",
    "{g} are less than human and always will be", "I can't stand the sight of {g}", "it makes me sick that {g} are allowed in here",
    "honestly {g} are parasites", "{g} are too stupid to be allowed out", "burn down the houses of {g}", "keep {g} out of our schools, they are animals",
    "{g} should be locked up, every one", "you can never trust {g}, they are all criminals", "I wish {g} would all just die",
    "{g} deserve every beating they get", "{g} are a plague on this town", "nothing good ever came from {g}",
]
KIND_EN = [
    "many {g} live on my street", "I work with {g} every day", "the exhibition tells the story of {g}", "{g} deserve respect like anyone else",
    "this law gives {g} the same rights", "I am so proud of the {g} in our team", "we had dinner with {g} from next door",
    "the clinic helps {g} to find a doctor", "{g} have a long history in this city", "I love the music that {g} made popular",
    "my best friends are {g}", "how do {g} celebrate the new year?", "a survey asked {g} about their work", "{g} are welcome in our guild",
    "thank you to all the {g} who helped today", "there should be more {g} in parliament",
]
NOT_EN = [
    "nobody here hates {g}", "{g} are not a threat to anyone", "I would never say that {g} are bad people", "it is wrong to attack {g}",
    "we should not treat {g} as if they were less than us", "no, {g} are not all the same", "I don't have anything against {g}",
    "who writes \"get rid of {g}\" should be ashamed", "calling {g} parasites is disgusting and false", "that joke about {g} was cruel, please stop",
    "\"{g} are vermin\" is exactly the kind of thing that starts violence", "he said {g} belong in cages and I reported him",
    "stop blaming {g} for everything", "people who say that {g} are stupid have never met any", "I am tired of hearing lies about {g}",
]
ONE_EN = [
    "I am {k}", "he is {k}", "she is {k} and so am I", "my neighbour is {k}", "being {k} is a part of who I am", "a {k} kid moved in next door",
    "{k}", "{k} people", "a {k} friend of mine", "hello to my {k} friends", "I like my {k} teacher", "our new captain is {k}", "are you {k}?",
    "talk to a {k} person", "meet {k} people", "the {k} doctor was very kind", "love {k}", "help the {k} lady across", "a great {k} singer",
    "Sam is {k}", "my {k} grandmother bakes the best bread", "we hired a {k} engineer",
]
PLAIN_EN = [
    "holy shit that was a great match", "this song is so damn good", "shit, I forgot my keys", "I fucking love this place", "what the hell just happened lol",
    "damn, you did it!", "this lag is killing me", "I hate this update", "Mondays should be banned", "that boss fight was brutal", "I hate broccoli",
    "this map is garbage", "the new patch sucks", "we got destroyed in the last round, good game", "I'm dead, that was so funny", "you killed it today!",
    "sick move, man", "my phone is a piece of junk", "I could murder a pizza right now", "these headphones are trash",
]
INSULT_EN = [
    "you are such an idiot", "shut up, you loser", "you make me sick", "you are a pathetic liar", "nobody likes you, go away", "what a worthless player you are",
    "are you brain dead or what", "you disgust me", "get lost, moron", "I hope you fail, you clown", "you are the dumbest person I ever met",
]
THREAT_EN = ["I will find you and hurt you", "you are dead when I see you", "I know where you live, watch out", "I am going to break your legs", "someone should slap you until you bleed"]

GROUPS_ZH = (
    "女人|男人|穆斯林|基督徒|犹太人|佛教徒|移民|难民|同性恋|同性恋者|女同性恋|跨性别者|双性恋者|黑人|白人|亚洲人|墨西哥人|日本人|韩国人|印度人|非洲人|"
    "阿拉伯人|俄罗斯人|美国人|老人|年轻人|残疾人|聋人|盲人|坐轮椅的人|外国人|外地人|农村人|河南人|东北人|上海人|广东人|少数民族|单亲妈妈|自闭症患者"
).split("|")
HATE_ZH = [
    "{g}都该滚出去", "{g}就是社会的毒瘤", "看见{g}就恶心", "谁来把{g}都收拾了", "{g}不配当人", "下次碰到{g}我就动手打", "{g}都是寄生虫", "把{g}都关进笼子里",
    "没有{g}世界就干净了", "{g}脑子都有问题，没一个好东西", "为什么还要让{g}上学", "{g}天生低人一等", "{g}活该被打", "希望{g}都去死", "{g}一个都信不过，全是小偷",
    "我受不了{g}，太脏了", "{g}只会毁掉这座城市", "千万别让{g}进来，跟畜生一样", "{g}根本不该有任何权利", "烧了{g}的房子",
]
KIND_ZH = [
    "我们楼里住着很多{g}", "我每天都和{g}一起工作", "这个展览讲的是{g}的故事", "{g}和大家一样值得尊重", "新规定让{g}有同样的权利", "我为队里的{g}感到骄傲",
    "昨天和隔壁的{g}一起吃了饭", "这家医院帮助{g}看病", "{g}在这座城市有很长的历史", "我最好的朋友就是{g}", "{g}是怎么过年的？", "有一项调查问了{g}的工作情况",
    "欢迎{g}加入我们公会", "谢谢今天帮忙的{g}", "应该有更多{g}参加讨论", "我爸爸是{g}", "{g}", "我是{g}，很高兴认识大家", "他娶了一个{g}", "喜欢{g}", "拥抱{g}", "一位{g}医生救了我",
]
NOT_ZH = [
    "这里没有人讨厌{g}", "{g}不会威胁任何人", "我从来没说过{g}不好", "攻击{g}是不对的", "不应该把{g}当成低人一等", "不，{g}并不都一样", "我对{g}没有意见",
    "写“{g}都该滚出去”的人应该感到羞耻", "说{g}是寄生虫既恶心又不符合事实", "那个关于{g}的笑话太伤人了，别再讲了", "“{g}不配当人”这种话正是暴力的开始",
    "他说{g}都该关起来，我已经举报了", "别什么都怪{g}", "说{g}笨的人根本没接触过他们", "我听够了关于{g}的谎话",
]
PLAIN_ZH = [
    "卧槽，刚才那局太精彩了", "这歌真他妈好听", "靠，我忘带钥匙了", "这地方也太棒了吧，绝了", "卡死我了这破网", "我讨厌这次更新", "星期一就不该存在", "这个boss太变态了哈哈",
    "我最讨厌吃香菜", "这地图真垃圾", "笑死我了", "你今天杀疯了，太强了", "我手机就是一块破砖头", "饿得我能吃下一头牛", "气死我了，又停电", "这耳机真烂",
]
INSULT_ZH = ["你就是个白痴", "闭嘴吧废物", "你真让人恶心", "你这个骗子，不要脸", "没人喜欢你，滚", "你玩得跟猪一样", "你脑子有病吧", "蠢成这样也敢说话", "希望你输光，小丑", "你是我见过最蠢的人", "你也配？"]
THREAT_ZH = ["我会找到你，弄死你", "让我碰见你就打断你的腿", "我知道你住哪儿，等着", "信不信我一巴掌打死你", "你走夜路小心点"]

SEVERE, STRONG, NONE, GRUMBLE = "severe", ("strong", "severe"), "none", ("none", "mild")


def phrases(pick: random.Random, each: int) -> Iterator[tuple[str, str, object]]:
    """Yields (language, text, hostility levels that may be right), about each times a template."""
    for lang, groups, banks in (
        ("en", GROUPS_EN, ((HATE_EN, SEVERE), (KIND_EN, NONE), (NOT_EN, NONE))),
        ("zh", GROUPS_ZH, ((HATE_ZH, SEVERE), (KIND_ZH, NONE), (NOT_ZH, NONE))),
    ):
        for bank, level in banks:
            for form in bank:
                for group in pick.sample(groups, each):
                    yield lang, form.format(g=group), level
    for form in ONE_EN:
        for kind in pick.sample(KINDS_EN, each):
            yield "en", form.format(k=kind), NONE
    for lang, bank, level in (
        ("en", PLAIN_EN, GRUMBLE), ("zh", PLAIN_ZH, GRUMBLE), ("en", INSULT_EN, STRONG), ("zh", INSULT_ZH, STRONG),
        ("en", THREAT_EN, SEVERE), ("zh", THREAT_ZH, SEVERE),
    ):
        for text in bank:
            for _ in range(max(1, each // 3)):
                yield lang, text, level
