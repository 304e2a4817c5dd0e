package training_test

import (
	"heartmark/assessment/training"
)

// approved are a small shop's answers, written for these tests.
func approved() []training.Answer {
	return []training.Answer{
		{ID: "late", Lang: "en", Question: "Where is my parcel? It has not arrived yet.", Answer: "I am sorry for the wait. I have asked the carrier and will write to you by tomorrow noon.", Tags: []string{"delivery"}},
		{ID: "refund", Lang: "en", Question: "How do I get my money back?", Answer: "You can have the full amount back within thirty days. Shall I start that for you?", Tags: []string{"payment"}},
		{ID: "broken", Lang: "en", Question: "The item arrived damaged.", Answer: "That should not have happened. A new one is on its way today; please keep the old one until the carrier collects it.", Tags: []string{"delivery", "quality"}},
		{ID: "password", Lang: "en", Question: "I forgot my password and cannot log in.", Answer: "No harm done. The link below sets a new one; it holds for an hour.", Tags: []string{"account"}},
		{ID: "invoice", Lang: "en", Question: "Could you send me an invoice for my company?", Answer: "Gladly. Which name and tax number shall stand on it?", Tags: []string{"payment"}},
		{ID: "size", Lang: "en", Question: "The shoes are too small, can I exchange them?", Answer: "Of course. Tell me the size you need and I send it, with a label for the pair you have.", Tags: []string{"exchange"}},
		{ID: "hours", Lang: "en", Question: "When are you open at the weekend?", Answer: "On Saturday from ten to six; on Sunday we rest.", Tags: []string{"shop"}},
		{ID: "rude", Lang: "en", Question: "Your colleague was very rude to me on the phone.", Answer: "Thank you for telling me, and I am sorry that you were spoken to like that. May I ask what happened?", Tags: []string{"complaint"}},
		{ID: "cancel", Lang: "en", Question: "I want to cancel my subscription.", Answer: "That is done with your word; you pay nothing from next month on. May I ask what did not fit?", Tags: []string{"account"}},
		{ID: "voucher", Lang: "en", Question: "My voucher code does not work.", Answer: "Let me look at it with you. Which code is it, and what does the page say?", Tags: []string{"payment"}},
		{ID: "wuliu", Lang: "zh", Question: "我的快递怎么还没到？", Answer: "让您久等了，非常抱歉。我已经联系快递公司，明天中午前给您回复。", Tags: []string{"delivery"}},
		{ID: "tuikuan", Lang: "zh", Question: "怎么退款？钱什么时候到账？", Answer: "三十天内都可以全额退款，需要我现在帮您办理吗？", Tags: []string{"payment"}},
		{ID: "sunhuai", Lang: "zh", Question: "收到的东西是坏的。", Answer: "这确实不该发生。今天就给您补发新的，旧的请先留着，快递会上门来取。", Tags: []string{"delivery", "quality"}},
		{ID: "mima", Lang: "zh", Question: "忘记密码了，登录不了。", Answer: "别着急，点下面的链接可以重设密码，一小时内有效。", Tags: []string{"account"}},
		{ID: "fapiao", Lang: "zh", Question: "可以给公司开发票吗？", Answer: "可以的，请告诉我抬头和税号。", Tags: []string{"payment"}},
		{ID: "chima", Lang: "zh", Question: "鞋子小了，能换大一码吗？", Answer: "当然可以，请告诉我需要的尺码，我给您寄出并附上退货单。", Tags: []string{"exchange"}},
		{ID: "taidu", Lang: "zh", Question: "你们客服态度太差了。", Answer: "谢谢您告诉我，让您受委屈了，很抱歉。能说说当时的情况吗？", Tags: []string{"complaint"}},
		{ID: "quxiao", Lang: "zh", Question: "我想取消会员订阅。", Answer: "已经为您取消，下个月起不再扣费。方便说说是哪里不合适吗？", Tags: []string{"account"}},
		{ID: "youhui", Lang: "zh", Question: "优惠码用不了。", Answer: "我来帮您看看。是哪个优惠码，页面上怎么提示的？", Tags: []string{"payment"}},
	}
}

// asked pairs messages that customers write with the id of the answer that fits; "" where none does.
func asked() map[string]string {
	return map[string]string{
		"Hello, I ordered two weeks ago and still have no parcel. Where is it?": "late",
		"It has been ten days. Has my package been lost?":                       "late",
		"I'd like a refund please, how do I get the money back?":                "refund",
		"the mug was in pieces when I opened the box, damaged all over":         "broken",
		"can't log in anymore, I think I forgot the password":                   "password",
		"Our company needs an invoice with the tax number.":                     "invoice",
		"These shoes are too small. Can I exchange them for a 42?":              "size",
		"Are you open on Sunday?":                                               "hours",
		"the man on the phone was so rude to me, I am really upset":             "rude",
		"please cancel my subscription, I don't use it":                         "cancel",
		"it says the voucher code is invalid":                                   "voucher",
		"快递都一个星期了还没到，到底在哪？":                                                     "wuliu",
		"我要退款，钱多久能到账？":                                                          "tuikuan",
		"打开一看杯子是坏的，气死了":                                                         "sunhuai",
		"密码忘了，一直登录不了":                                                           "mima",
		"麻烦给我们公司开一张发票":                                                          "fapiao",
		"这双鞋子有点小，能换大一码的吗":                                                       "chima",
		"刚才那个客服态度太差了，我很生气":                                                      "taidu",
		"取消订阅在哪里操作":                                                             "quxiao",
		"优惠码输进去说用不了":                                                            "youhui",
		"What is the capital of Australia?":                                     "",
		"I saw a lovely heron by the river this morning.":                       "",
		"My cat had kittens, three of them are grey!":                           "",
		"今天天气真不错，适合去爬山。":                                                        "",
		"你知道哪里有好吃的火锅吗":                                                          "",
	}
}
