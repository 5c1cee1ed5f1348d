package browser

import (
	"bufio"
	"context"
	"encoding/json"
	"io"
	"log/slog"
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
	b.fill(`#waiting-list form`, `button[value=approve]`, map[string]string{"who": "ann", "why": "looked at the graphs"})
	b.until("it is said", `document.querySelector(".notice")`)
	b.visit("/ui/decisions?verb=act")
	b.until("the command was sent", `document.querySelector("#log .state.act")`)
	b.do(chromedp.Click(`#log tbody a`, chromedp.ByQuery), chromedp.WaitVisible(".gates", chromedp.ByQuery))
	if text := b.eval(`document.querySelector("main").innerText`); !strings.Contains(text, "kill switch") || !strings.Contains(text, "finding.severity") || !strings.Contains(text, "ann") {
		t.Errorf("the decision is not explained: %s", text)
	}
	b.shot("decision")
	b.accessible("decision")
	t.Run("service", func(t *testing.T) { service(t, b) })
	t.Run("kill switch", func(t *testing.T) { kill(t, b) })
	t.Run("canary", func(t *testing.T) { canary(t, b) })
	for _, page := range []string{"slos", "decisions", "audit", "canaries"} {
		b.visit("/ui/" + page)
		b.accessible(page)
	}
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
	b.fill(`form:has([value="kill"])`, "button", map[string]string{"who": "bob", "why": "it restarts everything"})
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

// canary follows the analysis of the shop's bad version, look by look, until it fails. The
// version appears forty seconds after the shop opens.
func canary(t *testing.T, b *tab) {
	const link = `[...document.querySelectorAll("#canaries tbody a")].find(a => a.innerText.includes("4.3.0"))`
	b.visit("/ui/canaries")
	b.until("the analysis appears", link)
	b.eval(link + `.click()`)
	b.until("the analysis is shown", `document.querySelector("#verdict-word")`)
	b.eval(`window.before = true`)
	b.until("the verdict is fail", `document.querySelector("#verdict-word").innerText == "fail"`)
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
