package examples

import (
	"fmt"
	"math"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-cmp/cmp/cmpopts"
	"pgregory.net/rapid"

	"github.com/flyball-io/flyball"
)

const start = flyball.Time(1_700_000_000_000_000_000)

func draw(t *rapid.T) Example {
	e := Example{Bad: rapid.Bool().Draw(t, "bad"), Value: math.NaN(), At: start + flyball.Time(rapid.IntRange(0, 3).Draw(t, "at"))}
	if rapid.Bool().Draw(t, "measured") {
		e.Value = float64(rapid.IntRange(-2, 3).Draw(t, "value"))
	}
	if rapid.Bool().Draw(t, "traced") {
		e.Trace[0] = byte(rapid.IntRange(1, 5).Draw(t, "trace"))
		e.Hash = TraceHash(e.Trace)
	} else {
		e.Text = fmt.Sprint("text ", rapid.IntRange(0, 5).Draw(t, "text"))
		e.Hash = TextHash([]byte(e.Text))
	}
	return e
}

func list(f *Few) (out []Example) {
	f.Each(func(e *Example) { out = append(out, *e) })
	return out
}

var equal = cmp.Options{cmpopts.EquateNaNs(), cmpopts.EquateEmpty()}

// TestOrderLaw: the same samples leave the same few, in whatever order they come and
// however they are merged, also over the wire.
func TestOrderLaw(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		samples := rapid.SliceOfN(rapid.Custom(draw), 0, 12).Draw(t, "samples")
		var want Few
		for i := range samples {
			want.Add(&samples[i])
		}
		parts := make([]Few, rapid.IntRange(1, 3).Draw(t, "parts"))
		for _, i := range rapid.Permutation(indexes(len(samples))).Draw(t, "order") {
			p := &parts[rapid.IntRange(0, len(parts)-1).Draw(t, "part")]
			if e := &samples[i]; p.Wants(e.Bad, e.Value) {
				p.Add(e)
			}
		}
		var got Few
		for i := range parts {
			part, err := Read(parts[i].AppendBinary(nil, start), start)
			if err != nil {
				t.Fatal(err)
			}
			got.Merge(&part)
		}
		if diff := cmp.Diff(list(&want), list(&got), equal); diff != "" {
			t.Fatalf("(−in order +merged):\n%s", diff)
		}
	})
}

func indexes(n int) (out []int) {
	for i := range n {
		out = append(out, i)
	}
	return out
}

// TestFewByExample: the worst of the bad, and the highest of all.
func TestFewByExample(t *testing.T) {
	var f Few
	for i, v := range []float64{3, 9, 5, 7} {
		e := Example{Bad: i%2 == 0, Value: v, At: start, Trace: [16]byte{byte(i + 1)}}
		e.Hash = TraceHash(e.Trace)
		f.Add(&e)
		f.Add(&e) // once more, as when it is sent twice
	}
	var got []string
	f.Each(func(e *Example) { got = append(got, fmt.Sprintf("%v %g", e.Bad, e.Value)) })
	if diff := cmp.Diff([]string{"true 5", "true 3", "false 9"}, got); diff != "" {
		t.Error(diff)
	}
	if f.Wants(false, math.NaN()) || f.Wants(false, 8) || !f.Wants(true, 4) || f.Wants(true, 2) || !f.Wants(false, 10) {
		t.Error("it wants what it would not keep, or does not want what it would")
	}
	b, h := f.Bad(), f.High()
	if len(list(&b)) != 2 || len(list(&h)) != 1 {
		t.Error("its parts are not it")
	}
}

func TestCut(t *testing.T) {
	var f Few
	f.Add(&Example{Bad: true, Value: 1, At: start, Trace: [16]byte{1}})
	encoded := f.AppendBinary(nil, start)
	for _, rest := range []string{"", "histogram"} {
		got, left := Cut(append(encoded[:len(encoded):len(encoded)], rest...))
		if string(got) != string(encoded) || string(left) != rest {
			t.Errorf("cut %x into %x and %q", encoded, got, left)
		}
	}
	if got, left := Cut([]byte("histogram")); got != nil || string(left) != "histogram" {
		t.Errorf("cut what has none into %x and %q", got, left)
	}
	if got, left := Cut(encoded[:5]); len(left) != 0 || len(got) != 5 {
		t.Errorf("cut what is too short into %x and %x", got, left)
	}
}

func FuzzRead(f *testing.F) {
	var few Few
	few.Add(&Example{Bad: true, Value: 1, At: start + 5, Trace: [16]byte{1}, Hash: TraceHash([16]byte{1})})
	few.Add(&Example{Bad: true, Value: math.NaN(), At: start, Text: "no money", Hash: 7})
	f.Add(few.AppendBinary(nil, start))
	f.Add([]byte{Mark, 1, 15})
	f.Fuzz(func(t *testing.T, data []byte) {
		got, err := Read(data, start)
		if err != nil || got.Empty() {
			return
		}
		again, err := Read(got.AppendBinary(nil, start), start)
		if diff := cmp.Diff(list(&got), list(&again), equal); err != nil || diff != "" {
			t.Fatalf("%v %s", err, diff)
		}
	})
}

func TestRedact(t *testing.T) {
	f := func(in, want string) {
		t.Helper()
		if got := Redact(in); got != want {
			t.Errorf("%q becomes\n%q, want\n%q", in, got, want)
		}
	}
	f("", "")
	f("connection to db-1:5432 refused after 30s", "connection to db-1:5432 refused after 30s")
	f("2026-03-01T12:34:56Z GET /cart/42 500", "2026-03-01T12:34:56Z GET /cart/42 500")
	f("no cart of jo.doe+shop@mail.example.com", "no cart of [email]")
	f("Authorization: Bearer abc.def-123", "Authorization: [secret] [token]")
	f("sent bearer abcdef012345 to pay", "sent bearer [token] to pay")
	f(`{"user":"jo","password":"hunter 2","n":1}`, `{"user":"jo","password":[secret],"n":1}`)
	f(`{\"password\":\"hunter2\"}`, `{\"password\":[secret]}`)
	f("DB_PASSWORD=hunter2 host=db", "DB_PASSWORD=[secret] host=db")
	f("api-key: k1; session_id='x y'", "api-key: [secret]; session_id=[secret]")
	f("dial postgres://shop:pa:ss@db:5432/shop", "dial postgres://[secret]@db:5432/shop")
	f("token eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.abc expired", "token [token] expired")
	f("key AKIAIOSFODNN7EXAMPLE and ghp_0123456789abcdefABCD", "key [token] and [token]")
	f("sha da39a3ee5e6b4b0d3255bfef95601890afd80709", "sha [token]")
	f("card 4111 1111 1111 1111 declined", "card [digits] declined")
	f("card 4111111111111111 declined, call +49 170 1234567", "card [digits] declined, call +49 170 [digits]")
	f("order 123456 failed", "order 123456 failed")
	f("-----BEGIN RSA PRIVATE KEY-----\nMIIE\n-----END RSA PRIVATE KEY----- in log", "[key] in log")
	f("-----BEGIN PRIVATE KEY-----\nMIIE", "[key]")
	f("a\nb\x00\t c", "a b c")
	f("\xff\xfe", "\uFFFD")
	f(strings.Repeat("wort ", 100), strings.Repeat("wort ", 47)+"wort…")
	f(strings.Repeat("x ", 511)+"jo@mail.exa", strings.Repeat("x ", 119)+"x…") // it was cut in the address
	f(strings.Repeat("-", MostText), "[text]")                                 // a part of who knows what
}

// TestRedactLaw: nothing of a secret is left, wherever it stands.
func TestRedactLaw(t *testing.T) {
	secrets := []string{"jo.doe@mail.example.com", "password=hunter2hunter2", "4111111111111111", "eyJhbGciOiJIUzI1NiJ9.eyJzdWIiOiIxIn0.sig", "AKIAIOSFODNN7EXAMPLE"}
	parts := []string{"jo.doe", "hunter2", "41111", "eyJ", "AKIA"}
	rapid.Check(t, func(t *rapid.T) {
		i := rapid.IntRange(0, len(secrets)-1).Draw(t, "secret")
		word := rapid.SampledFrom([]string{"a", "the", "=", `"`, "{", "\n", "5", "é"})
		join := func(words []string) string { return strings.Join(words, " ") }
		text := join(rapid.SliceOfN(word, 0, 500).Draw(t, "before")) + " " + secrets[i] + " " + join(rapid.SliceOfN(word, 0, 40).Draw(t, "after"))
		text = text[:min(len(text), MostText)] // as it is taken in
		if got := Redact(text); strings.Contains(got, parts[i]) || len([]rune(got)) > MostShown {
			t.Fatalf("%q becomes %q", text, got)
		}
	})
}
