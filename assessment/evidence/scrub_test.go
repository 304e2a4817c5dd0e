package evidence_test

import (
	"strings"
	"testing"

	"heartmark/assessment/evidence"
)

func TestScrub(t *testing.T) {
	t.Parallel()
	s := evidence.NewScrubber([]string{"Robin Field", "Alexandra", "Will", "李雷", "u7"})
	for in, want := range map[string]string{
		"mail me: a.b+c@example.co.uk now":      "mail me: <EMAIL> now",
		"发到张三@qq.com":                           "<EMAIL>",
		"see https://example.com/a?b=c, ok":     "see <URL> ok",
		"go to www.example.com。好":               "go to <URL>。好",
		"hey @sam_99 there":                     "hey <HANDLE> there",
		"@李雷 你好":                                "<HANDLE> 你好",
		"card 4111 1111 1111 1111 ok":           "card <CARD> ok",
		"not a card 4111 1111 1111 1112":        "not a card 4111 1111 1111 1112",
		"id 11010519491231002X.":                "id <ID>.",
		"身份证110105194912310021":                 "身份证110105194912310021",
		"call +44 20 7946 0958 please":          "call <PHONE> please",
		"打13812345678找我":                        "打<PHONE>找我",
		"(555) 123-4567":                        "<PHONE>",
		"server 192.168.0.12 down":              "server <IP> down",
		"version 1.2.3.999":                     "version 1.2.3.999",
		"v6 2001:db8::1 up":                     "v6 <IP> up",
		"meet at 12:30:15":                      "meet at 12:30:15",
		"we are at 31.2304, 121.4737 now":       "we are at <GEO> now",
		"Robin Field and robin field met Robin": "<NAME> and <NAME> met <NAME>",
		"I will ask Will":                       "I will ask <NAME>",
		"alexandra knows":                       "<NAME> knows",
		"李雷和韩梅梅":                                "<NAME>和韩梅梅",
		"u7 is short":                           "u7 is short",
		"on 2026-03-01 we scored 3 - 2":         "on 2026-03-01 we scored 3 - 2",
		"it cost 1200 and 15000000":             "it cost 1200 and 15000000",
	} {
		if got := s.Scrub(in); got != want {
			t.Errorf("Scrub(%q) = %q, want %q", in, got, want)
		}
	}
}

func FuzzEvidence(f *testing.F) {
	f.Add(consentLine+message(""), "")
	f.Add(consentLine+message(`,"reply_to":"m0","to":["a"]`)+"bad", "skip")
	f.Add("id,ts,actor,text\n1,2026-03-01T09:00:00Z,u,hi\n", "")
	f.Add("13/03/2026, 22:15 - Pat: So sorry\n", "skip")
	f.Add(`{"guild":{},"channel":{"id":"1"},"messages":[{"id":"1","timestamp":"2026-03-01T09:00:00Z","content":"x","author":{"id":"u"}}]}`, "")
	f.Add(`[{"type":"message","user":"u","ts":"1772355600.1","text":"<@U> &lt;"}]`, "")
	f.Fuzz(func(t *testing.T, in, onError string) {
		if onError != evidence.OnErrorSkip {
			onError = evidence.OnErrorRefuse
		}
		for _, subject := range []string{"", "u"} {
			o := options()
			o.OnError = onError
			if o.Subject = subject; subject != "" {
				o.Consent = []string{"process", "score"}
			}
			b, issues, err := evidence.Read(strings.NewReader(in), o)
			if err != nil {
				if len(b.Messages) > 0 || len(b.Receipts) > 0 {
					t.Fatalf("a refusal left %d messages", len(b.Messages))
				}
				continue
			}
			if onError == evidence.OnErrorRefuse && issues.Total > 0 {
				t.Fatalf("bad lines were taken: %v", issues.List)
			}
			if len(b.Receipts) == 0 {
				t.Fatal("taken without a receipt")
			}
			again, _, err := evidence.Read(strings.NewReader(in), o)
			if err != nil || len(again.Messages) != len(b.Messages) {
				t.Fatalf("second reading: %v", err)
			}
			for k, d := range b.Digests {
				if again.Digests[k] != d {
					t.Fatal("two readings, two digests")
				}
			}
			s := evidence.NewScrubber(nil)
			for _, m := range b.Messages {
				if once := string(m.Text); s.Scrub(once) != s.Scrub(s.Scrub(once)) && !strings.ContainsAny(once, "0123456789") {
					t.Fatalf("scrubbing twice changed %q", once)
				}
				if len(m.Day) != 10 {
					t.Fatalf("day %q", m.Day)
				}
			}
		}
	})
}
