package browser

import (
	"encoding/json"
	"fmt"
	"strings"
	"time"

	"github.com/chromedp/chromedp"
	"github.com/chromedp/chromedp/kb"
)

// controls numbers everything on the page that a keyboard must reach, and names it. Updates
// are stopped for as long as the walk takes: what is replaced would lose its number.
const controls = `(() => {
  Object.defineProperty(document, "hidden", {configurable: true, get: () => true});
  document.dispatchEvent(new Event("visibilitychange"));
  const seen = e => e.checkVisibility({visibilityProperty: true}) && !e.disabled && e.tabIndex >= 0;
  window.walked = [...document.querySelectorAll("a[href], button, input:not([type=hidden]), select, textarea, summary, [tabindex]")].filter(seen);
  document.activeElement.blur(); window.scrollTo(0, 0);
  return JSON.stringify(window.walked.map(e => e.tagName.toLowerCase() + " " + (e.getAttribute("aria-label") || e.innerText || e.name || e.href || "").trim().slice(0, 60)));
})()`

// focused is the number of the element that has the focus, and whether that can be seen: by
// an outline of its own, or of what the element stands for. SVG marks change their stroke.
const focused = `(() => {
  const e = document.activeElement;
  if (!e || e === document.body) return "-1 true";
  const s = getComputedStyle(e), r = e.getBoundingClientRect();
  const ring = s.outlineStyle !== "none" && parseFloat(s.outlineWidth) >= 2 || s.boxShadow !== "none";
  const shown = r.width > 0 && r.height > 0 && r.bottom > 0 && r.top < innerHeight && r.right > 0 && r.left < innerWidth;
  return window.walked.indexOf(e) + " " + (ring && shown);
})()`

// walk goes over the page by the tab key: every control must come up, with a focus that can
// be seen.
func (b *tab) walk(name string) {
	b.t.Helper()
	b.do(chromedp.Sleep(300 * time.Millisecond)) // what was asked for before updates stopped
	var names []string
	if err := json.Unmarshal([]byte(b.eval(controls)), &names); err != nil || len(names) < 5 {
		b.t.Fatalf("%s has %d controls (%v)", name, len(names), err)
	}
	reached := map[int]bool{}
	for range 2*len(names) + 10 {
		b.do(chromedp.KeyEvent(kb.Tab))
		var at int
		var visible bool
		if _, err := fmt.Sscan(b.eval(focused), &at, &visible); err != nil {
			b.t.Fatal(err)
		}
		if at < 0 { // out of the page, and round again
			if len(reached) > 0 {
				break
			}
			continue
		}
		if reached[at] {
			break
		}
		reached[at] = true
		if !visible {
			b.t.Errorf("%s: the focus on %q cannot be seen", name, names[at])
		}
	}
	var missed []string
	for i, n := range names {
		if !reached[i] {
			missed = append(missed, n)
		}
	}
	if len(missed) > 0 {
		b.t.Errorf("%s: the tab key does not reach %d of %d controls: %s", name, len(missed), len(names), strings.Join(missed, "; "))
	}
	b.t.Logf("%s: %d controls by the tab key", name, len(reached))
}

// answer fills a form in and sends it with the keyboard alone: tab to its fields, write,
// tab to the button, Enter. The fields must come in this order.
func (b *tab) answer(form, button string, fields ...[2]string) {
	b.t.Helper()
	for _, f := range fields {
		b.tabTo(form + ` [name="` + f[0] + `"]`)
		b.eval(`document.activeElement.select && document.activeElement.select()`)
		b.do(chromedp.KeyEvent(f[1]))
	}
	b.tabTo(form + " " + button)
	b.do(chromedp.KeyEvent(kb.Enter))
}

// tabTo presses the tab key until an element has the focus.
func (b *tab) tabTo(selector string) {
	b.t.Helper()
	for range 200 {
		if b.eval(`document.activeElement === document.querySelector(`+"`"+selector+"`"+`)`) == "true" {
			return
		}
		b.do(chromedp.KeyEvent(kb.Tab))
	}
	b.t.Fatalf("the tab key does not come to %s\nthe page shows: %s", selector, b.text())
}
