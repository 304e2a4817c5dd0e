"""Writes the golden file of the Go tokenizer: 2,000 lines written or generated here, with the ids of the reference.

usage: python golden.py ../files/tokenizer.json ../../text/testdata/tokenizer_golden.jsonl
"""

import json
import random
import sys

from tokenizers import Tokenizer

EN_START = ["I feel", "I'm not sure why you", "Honestly,", "Sorry,", "Could you please", "WE", "my friend", "nobody", "That", "u"]
EN_MIDDLE = [
    "never listens to the whole team", "was so proud of you today", "can't stop thinking about it", "lost the match again",
    "sounds really hard", "keep it together", "need to talk about what happened", "moved to Reykjavík", "said it's fine",
    "didn't mean to snap at you", "re-read the co-operative's FAQ", "owe you an apology", "gonna be ok",
]
EN_END = ["...", "!", "?", " lol", " :)", " <3", ", you know?", " (again)", " #1", " @ 10:30pm", " 50% off", "", "?!?!", " \u2014 really", "\u2026"]
ZH_START = ["我觉得", "你今天", "真的", "对不起，", "请问", "他们", "老师说", "说实话", "没关系，", "谢谢你"]
ZH_MIDDLE = ["有点难过", "辛苦了", "太厉害了", "别生气好不好", "一起想办法", "考试没考好", "心里很乱", "把话说清楚", "陪你聊聊", "做得很好", "不是故意的"]
ZH_END = ["。", "！", "？", "~", "……", "吧", "呢？", "啊啊啊", "哈哈", "（笑）", "", "！！！", " 233", "😂"]
EMOJI = ["😀", "😂🤣", "👍🏽", "❤️", "👨‍👩‍👧", "🏳️‍🌈", "🇨🇳", "🙏🙏", "¯\\_(ツ)_/¯", "(╯°□°)╯︵ ┻━┻", "✨", "☕️", "🫠", "♥"]
ODD = [
    "", " ", "   ", "\t", "\n", "a", "▁", "▁▁", " ▁ a", "<s>", "</s>", "<pad> <unk>", "[self] [other]", "[self]hi", "[SEP]", "[CLS]",
    "<EMAIL>", "<PHONE> call", "http://example.org/a?b=c", "a\u00a0b", "a\u3000b", "a\u2003\u2002b", "a\u0085b", "\u1680x", "\u2028x\u2029",
    "ﬁne ﬂow", "①②③", "½ cup", "Ｆｕｌｌ　ｗｉｄｔｈ", "㎏", "ſtrange", "e\u0301te\u0301", "a\u0308\u0323", "\u0301", "ｶﾞﾙ", "한국어", "ہیلو", "नमस्ते", "ไทย",
    "ÀÉÎÕÜ", "straße", "İstanbul", "ǆ", "\ufdfa", "\u200bzero", "\u200d", "\ufeffbom", "\ue000private", "\U000e0001tag", "\x00nul", "\x07bell",
    "\ufffd", "😀" * 40, "a" * 300, "哈" * 200, "!" * 100, "https" * 50, "。" * 50, "\U0001f9ff\U0001faf6", "𝓯𝓪𝓷𝓬𝔂", "𠀀𠮷", "〇", "々", "ー",
]


def lines() -> list[str]:
    pick = random.Random(20260101)
    out = list(ODD)
    out += EMOJI + [a + " " + b for a in EMOJI for b in EMOJI[:5]]
    while len(out) < 700:
        out.append(pick.choice(EN_START) + " " + pick.choice(EN_MIDDLE) + pick.choice(EN_END))
    while len(out) < 1150:
        out.append("".join(pick.choice(ZH_START) + pick.choice(ZH_MIDDLE) + pick.choice(ZH_END) for _ in range(pick.randint(1, 3))))
    while len(out) < 1450:
        parts = [pick.choice(EN_MIDDLE), pick.choice(ZH_MIDDLE), pick.choice(EMOJI), pick.choice(ZH_START), pick.choice(EN_START)]
        pick.shuffle(parts)
        out.append(pick.choice(["", " ", "  "]).join(parts[: pick.randint(2, 5)]))
    while len(out) < 1600:
        out.append(" ".join(pick.choice(EN_MIDDLE) + pick.choice(EN_END) for _ in range(pick.randint(10, 60))))
    spans = [(0x20, 0x7E), (0xA0, 0x24F), (0x370, 0x52F), (0x2000, 0x2BFF), (0x3000, 0x30FF), (0x4E00, 0x9FFF), (0xFF00, 0xFFEF),
             (0x1F300, 0x1FAFF), (0x600, 0x6FF), (0x0, 0x1F), (0xAC00, 0xD7A3), (0x20, 0x2FFFF)]
    while len(out) < 2000:
        low, high = pick.choice(spans)
        text = []
        for _ in range(pick.randint(1, 30)):
            if pick.random() < 0.15:
                low, high = pick.choice(spans)
            point = pick.randint(low, high)
            text.append(" " if 0xD800 <= point <= 0xDFFF else chr(point))
        out.append("".join(text))
    return out


def main(tokenizer: str, target: str) -> None:
    tok = Tokenizer.from_file(tokenizer)
    with open(target, "w", encoding="utf-8") as out:
        for text in lines():
            ids = tok.encode(text, add_special_tokens=False).ids
            out.write(json.dumps({"text": text, "ids": ids}, separators=(",", ":")) + "\n")


if __name__ == "__main__":
    main(*sys.argv[1:])
