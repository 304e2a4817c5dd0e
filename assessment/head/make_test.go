package head_test

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"hash/fnv"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"heartmark/assessment"
	"heartmark/assessment/head"
)

// fakeEncoder makes vectors of the words of a text: words that are the same give the same part.
type fakeEncoder struct{ width int }

func (e fakeEncoder) Width() int { return e.width }

func (e fakeEncoder) Vectors(_ context.Context, in []assessment.ClassifierInput) ([][]float32, error) {
	out := make([][]float32, len(in))
	for i, one := range in {
		out[i] = make([]float32, e.width)
		for word := range strings.FieldsSeq(one.Text) {
			h := fnv.New64a()
			_, _ = h.Write([]byte(word))
			draw := rand.New(rand.NewPCG(h.Sum64(), 0))
			for d := range out[i] {
				out[i][d] += float32(draw.NormFloat64())
			}
		}
	}
	return out, nil
}

// toneLines is a labelled file of our own: the tone of a customer service, in English and Chinese. Half are templates
// filled with what the customer asks about, half are written by hand in both languages.
func toneLines() []byte {
	about := [][2]string{{"your parcel", "您的包裹"}, {"the invoice", "发票"}, {"your refund", "您的退款"}, {"the booking", "预订"}, {"the warranty", "保修"}, {"your account", "您的账户"}}
	templates := map[string][][2]string{
		"warm": {
			{"I'm really sorry about the trouble with %s, let me sort it out for you.", "%s给您添麻烦了，真的很抱歉，我马上帮您处理。"},
			{"Thank you so much for your patience, I'm happy to help with %s!", "非常感谢您的耐心，我很乐意帮您看%s！"},
			{"I understand how upsetting this is. I'll stay on %s until it is solved.", "我理解您的心情，%s的事我会一直跟进到解决。"},
			{"What a lovely question! Of course I'll check %s for you right away.", "您问得真好！我这就帮您查%s。"},
		},
		"neutral": {
			{"We have received your message about %s and will answer within two days.", "关于%s的消息已收到，两天内回复。"},
			{"The status of %s can be seen on the page under orders.", "%s的状态可在订单页面查看。"},
			{"Please send the number so that %s can be found.", "请提供编号以便查询%s。"},
			{"The department for %s is open from nine to five.", "负责%s的部门工作时间为九点到五点。"},
		},
		"curt": {
			{"As I said, %s is not my problem. Read the terms.", "我说过了，%s不归我管，自己看条款。"},
			{"You should have checked %s yourself before bothering us.", "%s您自己不会先看吗，别来烦我们。"},
			{"No. There is nothing to do about %s, stop asking.", "不行，%s没办法，别再问了。"},
			{"Everybody else manages with %s, why can't you?", "%s别人都会弄，怎么就您不会？"},
		},
	}
	byHand := map[string][]string{
		"warm": {
			"Oh no, that should not have happened. Let me make it right.", "Please take your time, I'm here as long as you need me.",
			"I can imagine how long you have waited for this, thank you for staying kind.", "It was a pleasure, have a wonderful evening!",
			"别着急，我陪您一步一步来。", "让您久等了，真是不好意思，辛苦您了。", "太好了，能帮到您我也很开心！", "谢谢您告诉我们，这对我们很重要。",
		},
		"neutral": {
			"The form is attached.", "Deliveries leave the warehouse on Mondays.", "Your request has the number 20418.", "Version three supports this from May on.",
			"附件为申请表。", "该型号有黑白两种颜色。", "订单将于周一发出。", "请在设置中选择语言。",
		},
		"curt": {
			"Not our fault.", "I don't have all day for this.", "Then buy it somewhere else.", "How hard can it be to read an e-mail?",
			"这不是我们的错。", "我没时间跟您耗。", "嫌贵就别买。", "邮件看不懂吗？",
		},
	}
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	line := func(text, label, lang, group string) {
		_ = e.Encode(map[string]string{"text": text, "label": label, "lang": lang, "group": group})
	}
	for _, label := range []string{"warm", "neutral", "curt"} {
		for k, pair := range templates[label] {
			for _, what := range about {
				// All fillings of a template are one group: the test asks about wordings that were not trained on.
				line(fmt.Sprintf(pair[0], what[0]), label, "en", fmt.Sprintf("%s %d", label, k))
				line(fmt.Sprintf(pair[1], what[1]), label, "zh", fmt.Sprintf("%s %d", label, k))
			}
		}
		for i, text := range byHand[label] {
			line(text, label, map[bool]string{true: "en", false: "zh"}[i < 4], "")
		}
	}
	return b.Bytes()
}

func order(name string) head.Order {
	return head.Order{
		Name: name, Created: created, Encoder: fakeEncoder{24}, Ref: head.EncoderRef{ID: "fake", SHA256: sha('d'), Width: 24},
		Fit: head.FitOptions{Hidden: 8, Seed: 3, Balanced: true},
	}
}

func TestMakeIsDeterministicAndKeepsNoText(t *testing.T) {
	t.Parallel()
	file := toneLines()
	d := read(t, file, head.ReadOptions{})
	var folders [2]map[string][]byte
	for i := range folders {
		made, err := head.Make(t.Context(), d, order("tone"))
		if err != nil {
			t.Fatal(err)
		}
		dir := filepath.Join(t.TempDir(), "head")
		if _, err := head.Save(dir, made.Model, made.Manifest); err != nil {
			t.Fatal(err)
		}
		folders[i] = map[string][]byte{}
		for _, name := range []string{head.FileGraph, head.FileManifest, head.FileCard, head.FileSums} {
			if folders[i][name], err = os.ReadFile(filepath.Join(dir, name)); err != nil {
				t.Fatal(err)
			}
		}
		if _, _, err := head.Load(os.DirFS(dir)); err != nil {
			t.Errorf("what Make makes does not load: %v", err)
		}
	}
	for name, data := range folders[0] {
		if !bytes.Equal(data, folders[1][name]) {
			t.Errorf("%s differs from one run to the next", name)
		}
		for _, r := range d.Rows {
			if bytes.Contains(data, []byte(r.Text)) || r.Group != "" && bytes.Contains(data, []byte(r.Group)) {
				t.Errorf("%s holds text or group of line %d", name, r.Line)
			}
		}
	}
}

func TestMakeRefuses(t *testing.T) {
	t.Parallel()
	d := read(t, toneLines(), head.ReadOptions{})
	o := order("Tone")
	if _, err := head.Make(t.Context(), d, o); err == nil {
		t.Error("the name Tone is taken")
	}
	d.Rows = d.Rows[:20]
	if _, err := head.Make(t.Context(), d, order("tone")); !errors.Is(err, head.ErrData) {
		t.Errorf("20 rows: %v, want ErrData", err)
	}
}

// The tone of a customer service, from our own few lines, in both languages, by the real model.
func TestToneOfCustomerService(t *testing.T) {
	t.Parallel()
	c, ref := classifier(t)
	d := read(t, toneLines(), head.ReadOptions{})
	o := order("tone")
	o.Encoder, o.Ref = c, ref
	o.Fit.Hidden = head.DefaultHidden
	made, err := head.Make(t.Context(), d, o)
	if err != nil {
		t.Fatal(err)
	}
	t.Logf("%s", made.Manifest.Report)
	if r := made.Manifest.Report; r.MacroF1 < r.Majority+0.2 {
		t.Errorf("macro-F1 %.3f on wordings that were not trained on, the commonest answer has %.3f", r.MacroF1, r.Majority)
	}
	h, err := head.Open(made.Model, runtimeOf(c, ref))
	if err != nil {
		t.Fatal(err)
	}
	defer func() { _ = h.Close() }()
	cases := map[string]string{
		"I'm so sorry this went wrong, I will take care of it personally.": "warm",
		"真对不起，让您失望了，我会尽力帮您。":                                               "warm",
		"Opening hours are listed on the website.":                         "neutral",
		"营业时间见官网。":                                                         "neutral",
		"Stop wasting our time and read the manual.":                       "curt",
		"别浪费我们时间，自己去看说明书。":                                                 "curt",
	}
	hit := 0
	for text, want := range cases {
		got, err := h.Classify(t.Context(), []assessment.ClassifierInput{{Text: text}})
		if err != nil {
			t.Fatal(err)
		}
		if got[0].Labels[0] == want {
			hit++
		} else {
			t.Logf("%q: %v, want %s", text, got[0], want)
		}
	}
	if hit < 5 {
		t.Errorf("%d of %d new lines are labelled as people would", hit, len(cases))
	}
}
