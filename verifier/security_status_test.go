package verifier_test

import (
	"bytes"
	"compress/gzip"
	"compress/zlib"
	"encoding/base64"
	"encoding/json"
	"errors"
	"maps"
	"strings"
	"testing"
	"time"

	"heartmark/internal/statuslist"
	"heartmark/schemas"
	"heartmark/verifier"
)

// statusOf returns the finding about the revocation entry.
func statusOf(t *testing.T, r verifier.Result) verifier.Check {
	t.Helper()
	for _, c := range r.Find(verifier.CheckStatus) {
		if c.Pointer == "/credentialStatus/0" || strings.HasPrefix(c.Pointer, "/credentialStatus/0/") {
			return c
		}
	}
	t.Fatalf("no finding about the first entry\n%s", dump(r))
	return verifier.Check{}
}

// wantStatus verifies a good credential against the lists as they are.
func (w *world) wantStatus(t *testing.T, verdict verifier.Verdict, code, problem string) verifier.Check {
	t.Helper()
	r := w.verify(t, w.verifier(t), w.credential(t))
	c := statusOf(t, r)
	if r.Verdict != verdict || c.Code != code || !strings.HasSuffix(c.Type, problem) {
		t.Errorf("verdict %s, status %s (%s): %s; want %s, %s", r.Verdict, c.Code, c.Type, c.Detail, verdict, code)
	}
	return c
}

func TestStatusValues(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serveList(t, acme, revList, "revocation", index-1, index+1)
	w.wantStatus(t, verifier.Valid, "status_ok", "")
	w.serveList(t, acme, revList, "revocation", index)
	w.wantStatus(t, verifier.Invalid, "status_revoked", "/problems/status-revoked")
	w.serveList(t, acme, revList, "revocation")
	w.serveList(t, acme, susList, "suspension", index)
	r := w.verify(t, w.verifier(t), w.credential(t))
	want(t, r, verifier.Invalid, "status_suspended")
}

func TestSEC_068_ListNotFetched(t *testing.T) {
	t.Parallel()
	for name, spoil := range map[string]func(*world){
		"unreachable": func(w *world) { w.listErr = errors.New("time spent") },
		"not there":   func(w *world) { delete(w.lists, revList) },
		"empty body":  func(w *world) { w.lists[revList] = verifier.StatusDocument{} },
		"HTML body":   func(w *world) { w.lists[revList] = verifier.StatusDocument{Data: []byte("<html></html>")} },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			spoil(w)
			w.wantStatus(t, verifier.Undetermined, "status_retrieval", "#STATUS_RETRIEVAL_ERROR")
		})
	}
}

func TestSEC_069_ListOfAnotherIssuer(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serveList(t, other, revList, "revocation")
	w.wantStatus(t, verifier.Undetermined, "status_verification", "#STATUS_VERIFICATION_ERROR")
	for _, u := range w.sent() {
		if strings.Contains(u, "/other/") {
			t.Errorf("the key of another issuer's list was fetched: %s", u)
		}
	}
	w.authority[other+" "+acme] = verifier.AuthorityActive // a registered delegate
	w.wantStatus(t, verifier.Valid, "status_ok", "")
	fresh, method := w.didKey(t, "fresh")
	w.putList(t, revList, method, listDocument(t, start, fresh, revList, "revocation"))
	w.wantStatus(t, verifier.Undetermined, "status_verification", "#STATUS_VERIFICATION_ERROR")
	// The issuer's name with another's key.
	w.putList(t, revList, method, listDocument(t, start, acme, revList, "revocation"))
	w.wantStatus(t, verifier.Undetermined, "status_verification", "#STATUS_VERIFICATION_ERROR")
}

func TestSEC_069_CachedListKeepsItsOwner(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t)
	want(t, w.verify(t, v, w.credential(t)), verifier.Valid, "status_ok") // acme's list is in memory now
	holder, _ := w.didKey(t, "holder")
	doc := w.unsigned(t, holder)
	doc["issuer"] = map[string]any{"id": other, "type": []any{"Profile"}, "name": "Other"}
	want(t, w.verify(t, v, w.sign(t, doc, other+"#key-1", verifierAssertion)), verifier.Undetermined, "status_verification")
}

func TestSEC_070_ListSignature(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	revoked := listDocument(t, start, acme, revList, "revocation", index)
	w.putList(t, revList, acme+"#key-1", revoked)
	doc := parse(t, w.lists[revList].Data)
	clean := listDocument(t, start, acme, revList, "revocation")
	doc["credentialSubject"] = clean["credentialSubject"]
	w.lists[revList] = verifier.StatusDocument{Data: w.marshal(t, doc)}
	w.wantStatus(t, verifier.Undetermined, "status_verification", "#STATUS_VERIFICATION_ERROR")
	w.lists[revList] = verifier.StatusDocument{Data: w.marshal(t, clean)} // no proof at all
	w.wantStatus(t, verifier.Undetermined, "status_verification", "#STATUS_VERIFICATION_ERROR")
}

func TestSEC_071_Purpose(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.serveList(t, acme, revList, "suspension")
	w.wantStatus(t, verifier.Undetermined, "status_verification", "#STATUS_VERIFICATION_ERROR")
	several := func(purposes ...any) {
		doc := listDocument(t, start, acme, revList, "x")
		doc["credentialSubject"].(map[string]any)["statusPurpose"] = purposes
		w.putList(t, revList, acme+"#key-1", doc)
	}
	several("suspension", "revocation")
	w.wantStatus(t, verifier.Valid, "status_ok", "")
	several("suspension", "message")
	w.wantStatus(t, verifier.Undetermined, "status_verification", "#STATUS_VERIFICATION_ERROR")
}

func TestSEC_072_WrongDocument(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(map[string]any){
		"normal credential": func(d map[string]any) { d["type"] = []any{"VerifiableCredential"} },
		"subject of another type": func(d map[string]any) {
			d["credentialSubject"] = map[string]any{"id": revList + "#list", "name": "x"}
		},
		"id of another list": func(d map[string]any) { d["id"] = susList },
		"no id":              func(d map[string]any) { delete(d, "id") },
		"no purpose":         func(d map[string]any) { delete(d["credentialSubject"].(map[string]any), "statusPurpose") },
		"odd ttl":            func(d map[string]any) { d["credentialSubject"].(map[string]any)["ttl"] = json.Number("-1") },
		"not valid yet":      func(d map[string]any) { d["validFrom"] = schemas.FormatTime(start.Add(time.Hour)) },
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t)
			doc := listDocument(t, start, acme, revList, "revocation")
			change(doc)
			w.putList(t, revList, acme+"#key-1", doc)
			w.wantStatus(t, verifier.Undetermined, "status_verification", "#STATUS_VERIFICATION_ERROR")
		})
	}
}

// withBits serves a list with these very bytes as its bits.
func (w *world) withBits(t *testing.T, raw []byte) {
	t.Helper()
	var b bytes.Buffer
	z := gzip.NewWriter(&b)
	_, _ = z.Write(raw)
	_ = z.Close()
	w.withEncoded(t, "u"+base64.RawURLEncoding.EncodeToString(b.Bytes()))
}

func (w *world) withEncoded(t *testing.T, encoded string) {
	t.Helper()
	doc := listDocument(t, start, acme, revList, "revocation")
	doc["credentialSubject"].(map[string]any)["encodedList"] = encoded
	w.putList(t, revList, acme+"#key-1", doc)
}

// withEntry verifies a credential whose revocation entry is changed.
func (w *world) withEntry(t *testing.T, change map[string]any) verifier.Result {
	t.Helper()
	holder, _ := w.didKey(t, "holder")
	doc := w.unsigned(t, holder)
	entry := maps.Clone(doc["credentialStatus"].([]any)[0].(map[string]any))
	maps.Copy(entry, change)
	doc["credentialStatus"] = []any{entry}
	doc["credentialSchema"] = nil
	delete(doc, "credentialSchema")
	return w.verify(t, w.verifier(t), w.sign(t, doc, acme+"#key-1", verifierAssertion))
}

func TestSEC_073_ShortLists(t *testing.T) {
	t.Parallel()
	for _, bits := range []int{8, 1024, statuslist.MinEntries - 8} {
		w := newWorld(t)
		w.withBits(t, make([]byte, bits/8))
		w.wantStatus(t, verifier.Undetermined, "status_list_length", "#STATUS_LIST_LENGTH_ERROR")
	}
	w := newWorld(t)
	messages := []any{}
	for _, s := range []string{"0x0", "0x1", "0x2", "0x3"} {
		messages = append(messages, map[string]any{"status": s, "message": s})
	}
	r := w.withEntry(t, map[string]any{"statusSize": json.Number("2"), "statusMessage": messages})
	want(t, r, verifier.Undetermined, "status_list_length") // 131,072 bits are 65,536 entries of two
	w.withBits(t, make([]byte, statuslist.MinEntries*2/8))
	want(t, w.withEntry(t, map[string]any{"statusSize": json.Number("2"), "statusMessage": messages}), verifier.Valid, "status_ok")
	want(t, w.withEntry(t, map[string]any{"statusSize": json.Number("2")}), verifier.Undetermined, "status_malformed")
}

func TestSEC_074_Index(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	cases := []struct {
		index any
		code  string
	}{
		{"131072", "status_range"},
		{"18446744073709551615", "status_range"},
		{"18446744073709551616", "status_range"},
		{"-1", "status_malformed"},
		{"", "status_malformed"},
		{"+1", "status_malformed"},
		{"01", "status_malformed"},
		{" 1", "status_malformed"},
		{"1e3", "status_malformed"},
		{"٣", "status_malformed"},
		{json.Number("5"), "status_malformed"},
		{true, "status_malformed"},
	}
	for _, tc := range cases {
		r := w.withEntry(t, map[string]any{"statusListIndex": tc.index})
		if r.Verdict == verifier.Valid {
			t.Errorf("index %v: valid", tc.index)
		}
		if c := r.Find(verifier.CheckStatus); r.Outcome(verifier.CheckModel) == verifier.Pass && c[0].Code != tc.code {
			t.Errorf("index %v: %s, want %s", tc.index, c[0].Code, tc.code)
		}
	}
	want(t, w.withEntry(t, map[string]any{"statusListIndex": "131071"}), verifier.Valid, "status_ok")
	w.refused(t, map[string]map[string]any{"entry id is the list": w.withEntry(t, map[string]any{"id": revList}).Credential})
}

func TestSEC_075_BitOrder(t *testing.T) {
	t.Parallel()
	bits := make([]byte, statuslist.MinEntries/8)
	for _, tc := range []struct {
		at    int
		value byte
		set   string
	}{{0, 0x40, "1"}, {1, 0x01, "15"}} {
		w := newWorld(t)
		raw := bytes.Clone(bits)
		raw[tc.at] = tc.value
		w.withBits(t, raw)
		for i := range 24 {
			n := json.Number([]string{"0", "1", "2", "3", "4", "5", "6", "7", "8", "9", "10", "11", "12", "13", "14", "15", "16", "17", "18", "19", "20", "21", "22", "23"}[i]).String()
			code := "status_ok"
			if n == tc.set {
				code = "status_revoked"
			}
			if got := w.withEntry(t, map[string]any{"statusListIndex": n}).Find(verifier.CheckStatus)[0].Code; got != code {
				t.Errorf("byte %d = %#x: index %s is %s, want %s", tc.at, tc.value, n, got, code)
			}
		}
	}
}

func TestSEC_076_DecompressionBomb(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.withBits(t, make([]byte, 32<<20)) // 31 kB packed, twice the cap opened
	w.wantStatus(t, verifier.Undetermined, "status_verification", "#STATUS_VERIFICATION_ERROR")
	w.lists[revList] = verifier.StatusDocument{Data: append(bytes.Repeat([]byte(" "), 3<<20), w.lists[revList].Data...)}
	w.wantStatus(t, verifier.Undetermined, "status_verification", "#STATUS_VERIFICATION_ERROR")
}

func TestSEC_077_ListEncoding(t *testing.T) {
	t.Parallel()
	good, err := statuslist.NewBits(statuslist.MinEntries, 1)
	if err != nil {
		t.Fatal(err)
	}
	encoded, err := good.Encode()
	if err != nil {
		t.Fatal(err)
	}
	var z bytes.Buffer
	deflate := zlib.NewWriter(&z)
	_, _ = deflate.Write(make([]byte, statuslist.MinEntries/8))
	_ = deflate.Close()
	raw, err := base64.RawURLEncoding.DecodeString(encoded[1:])
	if err != nil {
		t.Fatal(err)
	}
	for name, text := range map[string]string{
		"no prefix": encoded[1:], "other prefix": "z" + encoded[1:], "padded": "u" + base64.URLEncoding.EncodeToString(append(raw, 0)),
		"standard alphabet": "u" + base64.StdEncoding.EncodeToString(raw), "zlib": "u" + base64.RawURLEncoding.EncodeToString(z.Bytes()),
		"two members": "u" + base64.RawURLEncoding.EncodeToString(append(bytes.Clone(raw), raw...)), "empty": "",
	} {
		w := newWorld(t)
		doc := listDocument(t, start, acme, revList, "revocation")
		if text == "" {
			delete(doc["credentialSubject"].(map[string]any), "encodedList")
			w.putList(t, revList, acme+"#key-1", doc)
		} else {
			w.withEncoded(t, text)
		}
		r := w.verify(t, w.verifier(t), w.credential(t))
		if c := statusOf(t, r); c.Code != "status_malformed" || !strings.HasSuffix(c.Type, "#MALFORMED_VALUE_ERROR") || r.Verdict == verifier.Valid {
			t.Errorf("%s: %s %s", name, c.Code, c.Detail)
		}
	}
}

func TestSEC_078_StaleLists(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	lenient := verifier.Policy{Name: "stale", Version: "1", MaxStale: time.Hour}
	v := w.verifier(t, lenient)
	doc := w.credential(t)
	verify := func(verdict verifier.Verdict, code string, change ...func(*verifier.Input)) verifier.Check {
		t.Helper()
		r := w.verify(t, v, doc, change...)
		want(t, r, verdict, code)
		return statusOf(t, r)
	}
	verify(verifier.Valid, "status_ok")
	fetches := func() (n int) {
		for _, u := range w.sent() {
			if u == revList {
				n++
			}
		}
		return n
	}
	// Revoked now; seen at the latest when the time to live is over.
	w.clock.Advance(time.Minute)
	w.serveList(t, acme, revList, "revocation", index)
	if c := verify(verifier.Valid, "status_ok"); !c.Evidence.FromCache || fetches() != 1 {
		t.Errorf("within ttl: from cache %v, %d fetches", c.Evidence.FromCache, fetches())
	}
	w.clock.Advance(4 * time.Minute)
	verify(verifier.Invalid, "status_revoked")
	// The origin goes down: past ttl the answer is unknown, unless the policy allows some staleness.
	w.clock.Advance(6 * time.Minute)
	w.listErr = errors.New("down")
	verify(verifier.Undetermined, "status_stale")
	verify(verifier.Invalid, "status_revoked", func(in *verifier.Input) { in.Policy = "stale" })
	w.clock.Advance(2 * time.Hour)
	verify(verifier.Undetermined, "status_stale", func(in *verifier.Input) { in.Policy = "stale" })
	// An expired list is never used, whoever serves it.
	w.listErr = nil
	w.clock.Advance(22 * time.Hour)
	verify(verifier.Undetermined, "status_verification")
}

func TestSEC_078_ListVersionsRise(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t)
	doc := w.credential(t)
	old := w.lists[revList]
	w.clock.Advance(10 * time.Second)
	w.serveList(t, acme, revList, "revocation", index)
	want(t, w.verify(t, v, doc), verifier.Invalid, "status_revoked")
	w.clock.Advance(6 * time.Minute)
	w.lists[revList] = old // rolled back
	want(t, w.verify(t, v, doc), verifier.Undetermined, "status_verification")
	// The publisher's own numbers count where the source knows them.
	w2 := newWorld(t)
	v2 := w2.verifier(t)
	numbered := w2.lists[revList]
	numbered.Version, numbered.Local = 7, true
	w2.lists[revList] = numbered
	want(t, w2.verify(t, v2, w2.credential(t)), verifier.Valid, "status_ok")
	w2.serveList(t, acme, revList, "revocation", index)
	lower := w2.lists[revList]
	lower.Version, lower.Local = 6, true
	w2.lists[revList] = lower
	want(t, w2.verify(t, v2, w2.credential(t)), verifier.Undetermined, "status_verification")
}

func TestOwnListsAreReadEachTime(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t)
	doc := w.credential(t)
	own := func() {
		d := w.lists[revList]
		d.Local = true
		w.lists[revList] = d
	}
	own()
	want(t, w.verify(t, v, doc), verifier.Valid, "status_ok")
	w.serveList(t, acme, revList, "revocation", index)
	own()
	want(t, w.verify(t, v, doc), verifier.Invalid, "status_revoked") // in the same second
}

func TestSEC_086_ListsAreFetchedOncePerTTL(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t)
	doc := w.credential(t)
	for range 50 {
		want(t, w.verify(t, v, doc), verifier.Valid, "status_ok")
	}
	count := map[string]int{}
	for _, u := range w.sent() {
		count[u]++
		if strings.Contains(u, "7c6c1b6e") || strings.Contains(u, "z6Mk") {
			t.Errorf("request %s names credential or holder", u)
		}
	}
	if count[revList] != 1 || count[susList] != 1 || len(count) != 3 {
		t.Errorf("requests: %v", count)
	}
}

func TestUnknownStatus(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	unsigned := with(with(w.credential(t), "proof", nil), "credentialSchema", nil)
	entry := map[string]any{"id": "https://canary.example/status", "type": "JsonSchema"}
	r := w.verify(t, w.verifier(t), w.sign(t, with(unsigned, "credentialStatus", []any{entry}), acme+"#key-1", verifierAssertion))
	want(t, r, verifier.Undetermined, "status_type_unknown")
	many := make([]any, 11)
	for i := range many {
		many[i] = map[string]any{
			"type": "BitstringStatusListEntry", "statusPurpose": "revocation", "statusListIndex": "1",
			"statusListCredential": "https://canary.example/" + strings.Repeat("x", i),
		}
	}
	r = w.verify(t, w.verifier(t), w.sign(t, with(unsigned, "credentialStatus", many), acme+"#key-1", verifierAssertion))
	want(t, r, verifier.Undetermined, "status_malformed")
	for _, u := range w.sent() {
		if strings.Contains(u, "canary") {
			t.Errorf("fetched %s", u)
		}
	}
}

// TestOwnListUnreadable: a failed read of this installation's own list is never answered from memory, also within its time
// to live: a revocation may stand in what could not be read.
func TestOwnListUnreadable(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t)
	doc := w.credential(t)
	own := w.lists[revList]
	own.Local = true
	w.lists[revList] = own
	want(t, w.verify(t, v, doc), verifier.Valid, "status_ok")
	w.listErr = errors.New("store")
	if r := w.verify(t, v, doc); r.Verdict != verifier.Undetermined {
		t.Errorf("verdict %s, want undetermined", r.Verdict)
	}
}
