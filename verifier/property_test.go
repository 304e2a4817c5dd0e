package verifier_test

import (
	"bytes"
	"crypto/ed25519"
	"errors"
	"math/rand/v2"
	"runtime"
	"sync"
	"testing"

	"heartmark/internal/testkit"
	"heartmark/schemas"
	"heartmark/verifier"
)

// everyByte verifies data with each of its bytes changed, one at a time, and reports where that was still valid.
func everyByte(t *testing.T, v *verifier.Verifier, data []byte, change func(int, byte) byte) {
	t.Helper()
	var wg sync.WaitGroup
	positions := make(chan int)
	for range runtime.GOMAXPROCS(0) {
		wg.Go(func() {
			for i := range positions {
				changed := bytes.Clone(data)
				changed[i] = change(i, data[i])
				r, err := v.Verify(t.Context(), verifier.Input{Data: changed})
				if r.Verdict == verifier.Valid || (err != nil && !errors.Is(err, verifier.ErrUnreadable)) {
					t.Errorf("byte %d changed from %q to %q: %s, %v", i, data[i], changed[i], r.Verdict, err)
				}
			}
		})
	}
	for i := range data {
		positions <- i
	}
	close(positions)
	wg.Wait()
}

func TestEveryByteCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t)
	data := w.marshal(t, w.credential(t))
	if r, err := v.Verify(t.Context(), verifier.Input{Data: data}); err != nil || r.Verdict != verifier.Valid {
		t.Fatalf("unchanged: %s, %v", r.Verdict, err)
	}
	if testing.Short() {
		t.Skip("long")
	}
	// Neighbouring value and other case by turns.
	everyByte(t, v, data, func(i int, b byte) byte { return b ^ []byte{0x01, 0x20}[i%2] })
}

func TestEveryByteOfASmallCredentialCounts(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	w.grant(acme, "VerifiableCredential")
	v := w.verifier(t)
	data := w.marshal(t, w.sign(t, plain(acme), acme+"#key-1", verifierAssertion))
	if r, err := v.Verify(t.Context(), verifier.Input{Data: data}); err != nil || r.Verdict != verifier.Valid {
		t.Fatalf("unchanged: %s, %v", r.Verdict, err)
	}
	for _, bit := range []byte{0x01, 0x02, 0x20} {
		everyByte(t, v, data, func(_ int, b byte) byte { return b ^ bit })
	}
}

func TestEveryByteOfAPresentationCounts(t *testing.T) {
	t.Parallel()
	if testing.Short() {
		t.Skip("long")
	}
	w := newWorld(t)
	w.grant(acme, "AlumniCredential")
	holder, _ := w.didKey(t, "holder")
	small := plain(acme)
	small["credentialSubject"] = map[string]any{"id": holder}
	small["issuer"] = acme
	w.grant(acme, "VerifiableCredential")
	vp := w.presentation(t, verifierAuthentication, "c-1", "", w.sign(t, small, acme+"#key-1", verifierAssertion))
	data := w.marshal(t, vp)
	v := w.verifier(t)
	in := verifier.Input{Data: data, Challenge: "c-1"}
	if r, err := v.Verify(t.Context(), in); err != nil || r.Verdict != verifier.Valid {
		t.Fatalf("unchanged: %s, %v\n%s", r.Verdict, err, dump(r))
	}
	for i := range data {
		in.Data = bytes.Clone(data)
		in.Data[i] ^= 0x01
		if r, _ := v.Verify(t.Context(), in); r.Verdict == verifier.Valid {
			t.Errorf("byte %d changed: valid", i)
		}
	}
}

func TestOrderAndSpaceDoNotCount(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	v := w.verifier(t)
	doc := w.credential(t)
	random := rand.New(rand.NewPCG(1, 2))
	for range 5 {
		data := shuffled(t, doc, random)
		r, err := v.Verify(t.Context(), verifier.Input{Data: data})
		if err != nil || r.Verdict != verifier.Valid {
			t.Errorf("shuffled: %s, %v", r.Verdict, err)
		}
		spoilt := shuffled(t, with(doc, "name", "other"), random)
		if r, _ := v.Verify(t.Context(), verifier.Input{Data: spoilt}); r.Verdict == verifier.Valid {
			t.Error("shuffling made a changed credential valid")
		}
	}
}

// shuffled writes v with members in random order and random white space.
func shuffled(t *testing.T, v any, random *rand.Rand) []byte {
	t.Helper()
	space := func() string { return []string{"", " ", "\n", "\t "}[random.IntN(4)] }
	var b bytes.Buffer
	switch x := v.(type) {
	case map[string]any:
		names := make([]string, 0, len(x))
		for n := range x {
			names = append(names, n)
		}
		random.Shuffle(len(names), func(i, j int) { names[i], names[j] = names[j], names[i] })
		b.WriteString("{" + space())
		for i, n := range names {
			if i > 0 {
				b.WriteString("," + space())
			}
			b.Write(shuffled(t, n, random))
			b.WriteString(":" + space())
			b.Write(shuffled(t, x[n], random))
		}
		b.WriteString(space() + "}")
	case []any:
		b.WriteString("[")
		for i, item := range x {
			if i > 0 {
				b.WriteString("," + space())
			}
			b.Write(shuffled(t, item, random))
		}
		b.WriteString("]" + space())
	default:
		data, err := schemas.Marshal(v)
		if err != nil {
			t.Fatal(err)
		}
		b.Write(data)
	}
	return b.Bytes()
}

// BenchmarkVerify gives the price of a DEI credential with warm caches: all checks, from bytes to verdict.
func BenchmarkVerify(b *testing.B) {
	w := newWorld(b)
	v := w.verifier(b)
	data := w.marshal(b, w.credential(b))
	b.ReportAllocs()
	for b.Loop() {
		verifyValid(b, v, data)
	}
	b.ReportMetric(float64(b.N)/b.Elapsed().Seconds(), "credentials/s")
}

func verifyValid(b *testing.B, v *verifier.Verifier, data []byte) {
	b.Helper()
	r, err := v.Verify(b.Context(), verifier.Input{Data: data})
	if err != nil || r.Verdict != verifier.Valid {
		b.Fatalf("%s, %v", r.Verdict, err)
	}
}

// BenchmarkRatios says how many bare checks of an Ed25519 signature the verdict on a DEI credential costs.
func BenchmarkRatios(b *testing.B) {
	w := newWorld(b)
	v := w.verifier(b)
	dimension := w.deiCredential("did:example:holder")
	dimension.Achievement = string(schemas.DimensionSelfManagement)
	w.grant(acme, schemas.AchievementID(origin, dimension.Achievement))
	holder, _ := w.didKey(b, "holder")
	dimension.HolderID = holder
	doc, err := dimension.Document()
	if err != nil {
		b.Fatal(err)
	}
	profile, small := w.marshal(b, w.credential(b)), w.marshal(b, w.sign(b, doc, acme+"#key-1", verifierAssertion))
	key, message := w.key(acme+"#key-1"), make([]byte, 64)
	signature := ed25519.Sign(key, message)
	public := key.Public().(ed25519.PublicKey)
	b.Logf("profile of %d bytes, dimension of %d bytes", len(profile), len(small))
	testkit.Ratios(b, []testkit.Contender{
		testkit.Timed("bare check", 50, func() error { ed25519.Verify(public, message, signature); return nil }),
		testkit.Timed("Verify dimension", 10, func() error { verifyValid(b, v, small); return nil }),
		testkit.Timed("Verify profile", 10, func() error { verifyValid(b, v, profile); return nil }),
	})
}
