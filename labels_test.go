package flyball

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestLabelsOf(t *testing.T) {
	ls := LabelsOf("service.name", "cart", "http.route", "", "a", `x"y`)
	want := Labels{{"a", `x"y`}, {"service.name", "cart"}}
	if diff := cmp.Diff(want, ls); diff != "" {
		t.Error(diff)
	}
	if got := ls.String(); got != `{a="x\"y", service.name="cart"}` {
		t.Errorf("String is %s", got)
	}
	if got := ls.JSON(); got != `{"a":"x\"y","service.name":"cart"}` {
		t.Errorf("JSON is %s", got)
	}
	if ls.Get("a") != `x"y` || ls.Get("http.route") != "" || Labels(nil).JSON() != "{}" {
		t.Error("Get or the empty set is wrong")
	}
	defer func() {
		if recover() == nil {
			t.Error("an odd number of strings is taken")
		}
	}()
	LabelsOf(strings.Fields("a")...)
}

// TestLabelsJSONIsCanonical: the same labels in any order have one string, which
// reads back as the same labels; different labels have different strings.
func TestLabelsJSONIsCanonical(t *testing.T) {
	draw := rapid.Custom(func(t *rapid.T) map[string]string {
		return rapid.MapOfN(rapid.StringMatching(`[a-z.\x{1}é<&]{1,4}`), rapid.StringN(1, 5, -1).Filter(utf8.ValidString), 0, 5).Draw(t, "labels")
	})
	build := func(m map[string]string, order []string) Labels {
		var pairs []string
		for _, n := range order {
			pairs = append(pairs, n, m[n])
		}
		return LabelsOf(pairs...)
	}
	rapid.Check(t, func(t *rapid.T) {
		m, other := draw.Draw(t, "m"), draw.Draw(t, "other")
		var names, otherNames []string
		for n := range m {
			names = append(names, n)
		}
		for n := range other {
			otherNames = append(otherNames, n)
		}
		ls := build(m, names)
		text := ls.JSON()
		if got := build(m, rapid.Permutation(names).Draw(t, "order")).JSON(); got != text {
			t.Fatalf("%s in another order is %s", text, got)
		}
		var back Labels
		if err := json.Unmarshal([]byte(text), &back); err != nil {
			t.Fatal(err)
		}
		if back.JSON() != text || len(back) != len(ls) {
			t.Fatalf("%s reads back as %s", text, back.JSON())
		}
		if same := cmp.Equal(m, other); same != (build(other, otherNames).JSON() == text) {
			t.Fatalf("equal labels %v, but the strings say otherwise: %s", same, text)
		}
	})
	var ls Labels
	if err := json.Unmarshal([]byte(`{"a":1}`), &ls); err == nil {
		t.Error("a number is taken for a label")
	}
}

func TestEvidenceValue(t *testing.T) {
	f := Finding{Evidence: []Evidence{{Name: "burn_long", Value: 15}}}
	if v, ok := f.EvidenceValue("burn_long"); v != 15 || !ok {
		t.Errorf("got %v, %v", v, ok)
	}
	if _, ok := f.EvidenceValue("other"); ok {
		t.Error("evidence that is not there is found")
	}
}
