package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
	"maps"
	"slices"
	"strings"
	"testing"

	"github.com/chromedp/cdproto/input"
	"github.com/chromedp/chromedp"

	"github.com/flyball-io/flyball/internal/dev"
)

// ready is the first line of the story.
type ready struct {
	Type, UI string
}

// start runs flyball dev until the test ends.
func start(t *testing.T) ready {
	t.Helper()
	story, out := io.Pipe()
	dir := t.TempDir() // is removed after dev has ended
	ctx, stop := context.WithCancel(t.Context())
	ended := make(chan error, 1)
	go func() {
		err := dev.Run(ctx, dev.Options{DataDir: dir, JSON: true, KafkaAddr: "127.0.0.1:0", ClickHouseAddr: "127.0.0.1:0", HTTPAddr: "127.0.0.1:0",
			Version: "test", Out: out, Talk: io.Discard, Log: slog.New(slog.DiscardHandler)})
		out.CloseWithError(err)
		ended <- err
	}()
	t.Cleanup(func() {
		stop()
		if err := <-ended; err != nil {
			t.Errorf("dev ended with %v", err)
		}
	})
	lines := bufio.NewScanner(story)
	lines.Buffer(nil, 1<<20)
	var first ready
	for lines.Scan() {
		if json.Unmarshal(lines.Bytes(), &first) == nil && first.Type == "ready" {
			go func() { // the story goes on
				_, _ = io.Copy(io.Discard, story)
			}()
			return first
		}
	}
	t.Fatalf("dev said nothing: %v", <-ended)
	return first
}

// TestIncident follows what a person on call would do: the shop has an incident twenty
// seconds after it opens.
func TestIncident(t *testing.T) {
	chromium(t)
	shop := start(t)
	b := open(t, strings.TrimSuffix(shop.UI, "/ui/"))
	b.visit("/")
	b.until("services appear by themselves", `document.querySelector("#service-checkout")`)
	b.forgive() // there were no tables at first, and the page tried again

	// A person has every command wait for an approval.
	b.visit("/ui/control")
	b.fill(`form:has([value="mode"])`, "button", map[string]string{"mode": "approve", "who": "ann", "why": "the rules are new"})
	b.until("the mode holds", `document.querySelector("#holds .state.mode") && document.querySelector("#holds").innerText.includes("the rules are new")`)
	b.accessible("control")

	// The incident unfolds on the overview, which is not loaded again.
	b.visit("/ui/")
	b.eval(`window.before = true`)
	b.until("a page is open", `document.querySelector("#overview .side .state.page")`)
	b.until("a command waits", `!document.querySelector("#waiting").hidden`)
	if b.eval("window.before") != "true" {
		t.Error("the page was loaded again")
	}
	b.shot("overview")
	b.accessible("overview")

	b.visit("/ui/approvals")
	b.shot("approvals")
	b.accessible("approvals")
	b.answer(`#waiting-list form`, `button[value=approve]`, [2]string{"who", "ann"}, [2]string{"why", "looked at the graphs"})
	b.until("it is said", `document.querySelector(".notice")`)
	b.visit("/ui/decisions?verb=act")
	b.until("the command was sent", `document.querySelector("#log .state.act")`)
	// The bad version is there by now: its looks are followed before anything else.
	t.Run("canary", func(t *testing.T) { canary(t, b) })
	b.visit("/ui/decisions?verb=act")
	b.do(chromedp.Click(`#log tbody tr:last-child a`, chromedp.ByQuery), chromedp.WaitVisible(".gates", chromedp.ByQuery))
	if text := b.eval(`document.querySelector("main").innerText`); !strings.Contains(text, "kill switch") || !strings.Contains(text, "finding.severity") || !strings.Contains(text, "ann") {
		t.Errorf("the decision is not explained: %s", text)
	}
	b.shot("decision")
	b.accessible("decision")
	t.Run("service", func(t *testing.T) { service(t, b) })
	t.Run("kill switch", func(t *testing.T) { kill(t, b) })
	for _, page := range []string{"slos", "decisions", "audit", "canaries"} {
		b.visit("/ui/" + page)
		b.accessible(page)
		b.shot(page)
	}
	t.Run("keyboard", func(t *testing.T) {
		for _, page := range []string{"", "services/checkout?range=15m", "slos", "slos/availability?entity=checkout", "canaries", "decisions", "approvals", "control", "audit"} {
			b.visit("/ui/" + page)
			b.walk("/ui/" + page)
		}
	})
	b.wellBehaved()
}

// service looks at the charts of the service that had the incident.
func service(t *testing.T, b *tab) {
	b.visit("/ui/services/checkout?range=15m")
	b.until("charts are drawn", `document.querySelectorAll(".sheet canvas").length == 3 && document.querySelectorAll(".lane a.mark-page, .lane a.mark-remedy").length >= 2`)
	// The cursors of all charts move together, and legends have the values under it.
	var box struct{ X, Y, Width, Height float64 }
	b.do(chromedp.Evaluate(`(() => { const r = document.querySelector("#chart-traffic .u-over").getBoundingClientRect(); return {x: r.x, y: r.y, width: r.width, height: r.height}; })()`, &box))
	b.do(input.DispatchMouseEvent(input.MouseMoved, box.X+box.Width*0.6, box.Y+box.Height/2))
	b.until("cursors are together", `(() => { const at = [...document.querySelectorAll(".u-cursor-x")].map(e => e.style.transform); return at.length == 3 && at.every(x => x == at[0] && x != "translate(-10px, 0px)"); })()`)
	if text := b.eval(`document.querySelector("#chart-errors .u-legend").innerText`); !strings.Contains(text, "%") {
		t.Errorf("the legend says %q", text)
	}
	// New values come in by themselves.
	b.eval(`window.label = document.querySelector("#chart-traffic .plot").getAttribute("aria-label")`)
	b.until("the charts go on", `document.querySelector("#chart-traffic .plot").getAttribute("aria-label") != window.label`)
	b.do(input.DispatchMouseEvent(input.MouseMoved, 5, 5))
	b.shot("service")
	b.accessible("service")
	b.visit("/ui/slos/availability?entity=checkout&range=15m")
	b.until("burn is drawn", `document.querySelectorAll(".sheet canvas").length == 3`)
	b.shot("slo")
	b.accessible("slo")
}

// kill stops automation, sees it said everywhere, and lets it go on.
func kill(t *testing.T, b *tab) {
	b.visit("/ui/control")
	b.answer(`form:has([value="kill"])`, "button", [2]string{"who", "bob"}, [2]string{"why", "it restarts everything"})
	b.until("the kill switch is on", `document.querySelector("#alerts .alert")`)
	b.shot("control")
	b.visit("/ui/audit")
	if text := b.eval(`document.querySelector("#log").innerText`); !strings.Contains(text, "bob") || !strings.Contains(text, "it restarts everything") || !strings.Contains(text, "looked at the graphs") {
		t.Errorf("the audit says %q", text)
	}
	b.shot("audit")
	b.visit("/ui/control")
	b.fill(`#holds li:has(.state.kill) form`, "button", map[string]string{"who": "bob", "why": "over"})
	b.until("automation goes on", `!document.querySelector("#alerts .alert") && !document.querySelector("#holds .state.kill")`)
}

// looksSeen keeps what the values below the chart of evidence of errors say, whenever there
// are more: harm by the number of looks. The table is made when it is opened.
const looksSeen = `(() => {
  window.looks = {};
  setInterval(() => {
    const values = document.querySelector("#chart-evidence-errors details");
    if (!values) return;
    const rows = [...values.querySelectorAll("tbody tr")];
    if (values.open && rows.length) window.looks[rows.length] = rows.map(r => parseFloat(r.cells[1].innerText.replace(/[^0-9.e+-]/g, "")) || 0);
    values.open = !values.open;
  }, 200);
})()`

// evidence is what the page has shown look by look, the latest first: looks that were shown
// stay as they were when others come, and in the end harm was beyond what is needed.
func evidence(t *testing.T, seen map[string][]float64) {
	t.Helper()
	counts := slices.SortedFunc(maps.Keys(seen), func(a, b string) int { return len(seen[a]) - len(seen[b]) })
	for i, count := range counts[1:] {
		before, now := seen[counts[i]], seen[count]
		if len(now) < 60 && !slices.Equal(now[len(now)-len(before):], before) {
			t.Errorf("the chart had %v, then %v", before, now)
		}
	}
	last := seen[counts[len(counts)-1]]
	if highest := slices.Max(last); highest < 20 {
		t.Errorf("evidence of harm came to %v at most, and yet the canary failed: %v", highest, last)
	}
	t.Logf("evidence was seen at %v looks, in the end %v", counts, last)
}

// canary follows the analysis of the shop's bad version, look by look, until it fails. The
// version appears forty seconds after the shop opens.
func canary(t *testing.T, b *tab) {
	const link = `[...document.querySelectorAll("#canaries tbody a")].find(a => a.innerText.includes("4.3.0"))`
	b.visit("/ui/canaries")
	b.until("the analysis appears", link)
	b.eval(link + `.click()`)
	b.until("the analysis is shown", `document.querySelector("#verdict-word")`)
	b.eval(`window.before = true`)
	b.eval(looksSeen)
	b.until("the verdict is fail", `document.querySelector("#verdict-word").innerText == "fail"`)
	b.until("evidence is shown", `Object.keys(window.looks).length >= 1`)
	var seen map[string][]float64
	if err := json.Unmarshal([]byte(b.eval(`JSON.stringify(window.looks)`)), &seen); err != nil {
		t.Fatal(err)
	}
	evidence(t, seen)
	b.until("what came of it is shown", `document.querySelector("#verdict .timeline li")`)
	b.until("evidence is drawn", `document.querySelectorAll("#chart-evidence-errors canvas, #chart-ratio-errors canvas").length == 2`)
	if text := b.eval(`document.querySelector("#verdict .sentence").innerText`); !strings.Contains(text, "errors") {
		t.Errorf("the verdict says %q", text)
	}
	if b.eval("window.before") != "true" {
		t.Error("the page was loaded again")
	}
	b.shot("canary")
	b.accessible("canary")
}
