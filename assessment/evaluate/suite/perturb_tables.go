package suite

// The tables of the perturbations, each "from to" without a space between. They are written for this package and are not
// those that the product undoes them with.
const (
	// homophones are common slips of Chinese input methods.
	homophones = `的得 得的 地的 在再 再在 做作 作做 他她 她他 它他 吗嘛 嘛吗 那哪 哪那 以已 已以 像象 象像 带戴 戴带 坐座 座坐
时是 是事 事是 真针 知之 只知 道到 到道 有又 又有 因应 应因 为位 位为 会回 回会 心新 新心 想响 好号 很狠 狠很 没每 每没 吧把
把吧 了啦 啦了 呢那 话化 说所 所说 给个 个给 看砍 见件 件见 听停 请清 情请 气起 起气 别憋 能嫩 要药 人仁 我握 你尼 们门
让嚷 怎增 么吗 什神 样养 觉决 难南 过国 国过 就旧 都豆 还环 也夜 去趣 来赖 上尚 下夏 大打 小晓 多朵 少绍 天添 年念`

	// particles end Chinese clauses and are drawn out in chat.
	particles = "啊吧呢吗哦嘛呀啦哈嗯唉哎"

	// alikeLetters are Latin letters and the Cyrillic ones that are drawn the same.
	alikeLetters = "aа eе oо pр cс yу xх iі sѕ jј AА BВ EЕ KК MМ HН OО PР CС TТ XХ IІ SЅ"

	// alikeSigns are letters and the digits and signs that stand in for them.
	alikeSigns = "o0 i1 e3 a4 s5 t7 b8 O0 I1 E3 A4 S5 T7 B8 l1"

	// alikeCharacters are Chinese characters that differ by a stroke.
	alikeCharacters = `己已 已己 未末 末未 人入 入人 土士 士土 日曰 天夭 夫天 大太 太大 干千 千干 午牛 今令 令今 免兔 折拆 拆折 拔拨 
于干 王玉 玉王 木本 本木 目自 自白 白自 问间 间问 我找 找我 你称 她地 他地 们门 没设 设没 说脱 话活 活话 要耍 看着 着看
很狠 狠很 情清 清情 请清 晴睛 时吋 住往 往住 今令 开升 升开 办为 为办 力刀 刀力 万方 方万 几儿 儿几 了子 子了 不木 贝见 见贝
生主 主生 乐东 东乐 车东 风凤 气乞 心必 必心 快块 块快 怕伯 难雄 得碍 真具 直真 买实 实买 头斗 体休 休体 别剐 到致 欢吹`

	// simplifiedTraditional are the simplified characters of everyday talk and the traditional ones of Taiwan and Hong Kong
	// for them. Where there are several, the one that talk uses most.
	simplifiedTraditional = `爱愛 碍礙 罢罷 摆擺 败敗 办辦 帮幫 宝寶 报報 备備 贝貝 笔筆 边邊 变變 标標 别別 补補 财財 参參 残殘
惨慘 层層 产產 长長 尝嘗 场場 厂廠 车車 尘塵 陈陳 称稱 诚誠 迟遲 冲衝 丑醜 处處 触觸 传傳 创創 纯純 词詞 从從 错錯 达達
带帶 单單 担擔 胆膽 当當 党黨 导導 灯燈 敌敵 点點 电電 东東 动動 读讀 对對 队隊 吨噸 夺奪 恶惡 儿兒 尔爾 发發 烦煩 饭飯 范範 
飞飛 废廢 费費 丰豐 风風 夫夫 妇婦 复復 该該 盖蓋 干幹 赶趕 刚剛 钢鋼 个個 给給 够夠 顾顧 关關 观觀 馆館 惯慣 广廣 归歸
规規 贵貴 国國 过過 还還 孩孩 汉漢 号號 喝喝 和和 轰轟 后後 护護 华華 话話 画畫 怀懷 坏壞 欢歡 环環 换換 会會 汇匯 货貨 
获獲 机機 积積 鸡雞 极極 级級 际際 继繼 计計 记記 纪紀 济濟 价價 间間 坚堅 艰艱 检檢 减減 简簡 见見 渐漸 讲講 奖獎 将將 酱醬 
脚腳 较較 觉覺 阶階 节節 结結 紧緊 仅僅 尽盡 进進 经經 惊驚 静靜 镜鏡 旧舊 举舉 剧劇 据據 决決 绝絕 军軍 开開 课課 垦墾 恳懇 
块塊 宽寬 矿礦 亏虧 困困 扩擴 来來 蓝藍 览覽 懒懶 烂爛 劳勞 乐樂 累累 类類 泪淚 离離 里裡 礼禮 历歷 厉厲 丽麗 连連 联聯 脸臉 
练練 两兩 谅諒 疗療 辽遼 临臨 邻鄰 灵靈 领領 刘劉 龙龍 楼樓 录錄 陆陸 虑慮 乱亂 论論 罗羅 妈媽 马馬 骂罵 吗嗎 买買 卖賣 满滿 
猫貓 贸貿 么麼 没沒 门門 们們 梦夢 弥彌 谜謎 灭滅 鸣鳴 亩畝 难難 脑腦 恼惱 闹鬧 内內 拟擬 念念 鸟鳥 宁寧 农農 浓濃 诺諾 欧歐 
盘盤 赔賠 喷噴 骗騙 贫貧 凭憑 评評 苹蘋 扑撲 启啟 气氣 弃棄 迁遷 签簽 谦謙 钱錢 浅淺 枪槍 强強 墙牆 抢搶 桥橋 亲親 轻輕 倾傾
请請 庆慶 穷窮 区區 驱驅 权權 劝勸 确確 让讓 扰擾 热熱 认認 荣榮 软軟 锐銳 伤傷 丧喪 扫掃 杀殺 晒曬 伤傷 设設 谁誰 绅紳 审審 
婶嬸 声聲 胜勝 师師 诗詩 时時 识識 实實 视視 试試 势勢 适適 释釋 寿壽 书書 输輸 属屬 术術 树樹 双雙 说說 顺順 丝絲 苏蘇 诉訴 
虽雖 随隨 岁歲 孙孫 损損 缩縮 态態 谈談 叹嘆 讨討 腾騰 题題 体體 条條 铁鐵 听聽 厅廳 头頭 图圖 团團 弯彎 网網 为為 违違 围圍
伟偉 伪偽 卫衛 问問 稳穩 窝窩 务務 误誤 雾霧 习習 戏戲 细細 吓嚇 显顯 险險 现現 线線 县縣 献獻 乡鄉 详詳 响響 项項 像像 写寫 
谢謝 兴興 虚虛 许許 选選 学學 询詢 寻尋 训訓 压壓 严嚴 盐鹽 颜顏 阳陽 养養 样樣 药藥 爷爺 业業 页頁 叶葉 医醫 仪儀 遗遺 亿億 
忆憶 义義 艺藝 议議 异異 译譯 阴陰 应應 营營 赢贏 优優 忧憂 邮郵 犹猶 游遊 与與 语語 预預 欲慾 员員 园園 圆圓 远遠 愿願 约約 
跃躍 运運 杂雜 灾災 暂暫 赞讚 脏髒 责責 择擇 怎怎 赠贈 战戰 张張 涨漲 账賬 这這 针針 侦偵 诊診 镇鎮 争爭 证證 郑鄭 只只 职職 
纸紙 质質 终終 钟鐘 种種 众眾 猪豬 烛燭 嘱囑 注注 装裝 壮壯 状狀 准準 资資 总總 纵縱 组組 钻鑽 罪罪 尊尊 妆妝 庄莊 着著 愤憤 
恋戀 惧懼 怜憐 愧愧 恶惡 紧緊 压壓 担擔 忧憂 郁鬱 闷悶 烦煩 恼惱 怀懷 绪緒 谊誼 温溫 暖暖 鼓鼓 励勵 抚撫 慰慰 台臺 视視 频頻`
)
