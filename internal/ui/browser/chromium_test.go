// Package browser drives the web UI of flyball dev in a real Chromium: make test-ui.
package browser

import (
	"bytes"
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/chromedp/cdproto/emulation"
	"github.com/chromedp/cdproto/log"
	"github.com/chromedp/cdproto/runtime"
	"github.com/chromedp/chromedp"
)

// patience is how long anything may take that a person waits for.
const patience = 90 * time.Second

// chromium finds the browser; the test is skipped where there is none.
func chromium(t *testing.T) string {
	t.Helper()
	if os.Getenv("FLYBALL_TEST_UI") == "" {
		t.Skip("set FLYBALL_TEST_UI=1, or run make test-ui: it takes a minute and a Chromium")
	}
	for _, name := range []string{os.Getenv("CHROMIUM"), "chromium", "chromium-browser", "google-chrome"} {
		if path, err := exec.LookPath(name); name != "" && err == nil {
			return path
		}
	}
	t.Skip("there is no Chromium: apt-get install chromium, or name one in CHROMIUM")
	return ""
}

// tab is one tab of the browser.
type tab struct {
	t   *testing.T
	ctx context.Context
	url string

	mu     sync.Mutex
	faults []string
}

func open(t *testing.T, url string) *tab {
	t.Helper()
	opts := append(chromedp.DefaultExecAllocatorOptions[:], chromedp.ExecPath(chromium(t)), chromedp.NoSandbox, chromedp.WindowSize(usual, 1000))
	ctx, stop := chromedp.NewExecAllocator(t.Context(), opts...)
	t.Cleanup(stop)
	ctx, stop = chromedp.NewContext(ctx)
	t.Cleanup(stop)
	b := &tab{t: t, ctx: ctx, url: url}
	if err := chromedp.Run(ctx); err != nil { // the browser ends with the context of the first run
		t.Fatalf("cannot start Chromium: %v", err)
	}
	chromedp.ListenTarget(ctx, b.listen)
	b.do(chromedp.EmulateViewport(usual, 1000))
	return b
}

// listen keeps what a person would find in the console: broken scripts, and what the
// policy has stopped.
func (b *tab) listen(event any) {
	b.mu.Lock()
	defer b.mu.Unlock()
	switch e := event.(type) {
	case *runtime.EventExceptionThrown:
		b.faults = append(b.faults, e.ExceptionDetails.Error())
	case *log.EventEntryAdded:
		if e.Entry.Level == log.LevelError && !strings.Contains(e.Entry.Text, "ERR_INCOMPLETE_CHUNKED") {
			b.faults = append(b.faults, e.Entry.Text+" "+e.Entry.URL)
		}
	}
}

func (b *tab) do(actions ...chromedp.Action) {
	b.t.Helper()
	ctx, stop := context.WithTimeout(b.ctx, patience)
	defer stop()
	if err := chromedp.Run(ctx, actions...); err != nil {
		b.t.Fatalf("%v\nthe page shows: %s", err, b.text())
	}
}

// text is what the page shows, as far as it can be had.
func (b *tab) text() (page string) {
	ctx, stop := context.WithTimeout(b.ctx, 5*time.Second)
	defer stop()
	if err := chromedp.Run(ctx, chromedp.Evaluate("document.body.innerText", &page)); err != nil {
		return err.Error()
	}
	return page
}

func (b *tab) visit(path string) {
	b.t.Helper()
	b.do(chromedp.Navigate(b.url+path), chromedp.WaitVisible("main", chromedp.ByQuery))
}

// until waits for an expression to be true, also while the page is loaded again.
func (b *tab) until(what, expression string) {
	b.t.Helper()
	began := time.Now()
	for done := false; !done; {
		ctx, stop := context.WithTimeout(b.ctx, 5*time.Second)
		if err := chromedp.Run(ctx, chromedp.Evaluate("!!("+expression+")", &done)); err != nil {
			done = false
		}
		stop()
		if !done && time.Since(began) > patience {
			b.t.Fatalf("not within %v: %s\nthe page shows: %s", patience, what, b.text())
		}
		if !done {
			time.Sleep(100 * time.Millisecond)
		}
	}
	b.t.Logf("%s after %v", what, time.Since(began).Round(time.Millisecond))
}

func (b *tab) eval(expression string) (out string) {
	b.t.Helper()
	b.do(chromedp.Evaluate("String("+expression+")", &out))
	return out
}

// usual is the width of the window.
const usual = 1440

// shot keeps the page as it is, wide and narrow, in light and in dark. Nothing may go over
// the edge.
func (b *tab) shot(name string) {
	b.t.Helper()
	dir := os.Getenv("FLYBALL_SCREENSHOTS")
	if dir == "" {
		dir = filepath.Join("..", "..", "..", "screenshots")
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		b.t.Fatal(err)
	}
	var sizes []int
	for _, width := range []int64{800, usual} {
		var shots [2][]byte
		b.do(chromedp.EmulateViewport(width, 1000), chromedp.Sleep(300*time.Millisecond))
		for i, mode := range []string{"light", "dark"} {
			b.mode(mode)
			b.do(chromedp.Sleep(300*time.Millisecond), chromedp.FullScreenshot(&shots[i], 100))
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("%s-%d-%s.png", name, width, mode)), shots[i], 0o644); err != nil {
				b.t.Fatal(err)
			}
			sizes = append(sizes, len(shots[i]))
		}
		if bytes.Equal(shots[0], shots[1]) {
			b.t.Errorf("%s is the same in light and in dark", name)
		}
		if wide := b.eval(`[...document.querySelectorAll("main *")].filter(e => e.getBoundingClientRect().right > innerWidth + 1 && !e.closest(".scroll, .u-wrap, pre, table, [hidden]")).map(e => e.tagName + "." + e.className).slice(0, 5).join(" ")`); wide != "" {
			b.t.Errorf("%s goes over the edge at %d pixels: %s", name, width, wide)
		}
	}
	b.mode("light")
	b.t.Logf("screenshots of %s: %v bytes", name, sizes)
}

func (b *tab) mode(mode string) {
	b.t.Helper()
	b.do(emulation.SetEmulatedMedia().WithFeatures([]*emulation.MediaFeature{{Name: "prefers-color-scheme", Value: mode}}))
}

// accessible checks the page by the rules of axe-core, in light and in dark.
func (b *tab) accessible(name string) {
	b.t.Helper()
	script, err := os.ReadFile(filepath.Join("..", "..", "..", ".cache", "axe", "package", "axe.min.js"))
	if err != nil {
		b.t.Log("axe-core is not there; make test-ui fetches it: only labels are checked")
		if unnamed := b.eval(`[...document.querySelectorAll("button,a,input:not([type=hidden]),select,[role=img]")].filter(e => !(e.innerText || e.value || e.ariaLabel || e.labels?.length || e.closest("label"))).map(e => e.outerHTML).join("\n")`); unnamed != "" {
			b.t.Errorf("%s: without a name: %s", name, unnamed)
		}
		return
	}
	for _, mode := range []string{"light", "dark"} {
		b.mode(mode)
		var found []string
		b.do(chromedp.Sleep(200*time.Millisecond), chromedp.Evaluate(string(script)+";0", nil), chromedp.Evaluate(`axe.run(document, {runOnly: ["wcag2a", "wcag2aa", "wcag21aa", "best-practice"]}).then(r => r.violations.map(v => v.id + ": " + v.help + ": " + v.nodes.slice(0, 3).map(n => n.html + " " + (n.any[0] ? n.any[0].message : "")).join(" | ")))`,
			&found, func(p *runtime.EvaluateParams) *runtime.EvaluateParams { return p.WithAwaitPromise(true) }))
		for _, v := range found {
			b.t.Errorf("%s, %s: %s", name, mode, v)
		}
	}
	b.mode("light")
}

// forgive forgets what the console has said so far.
func (b *tab) forgive() {
	b.mu.Lock()
	defer b.mu.Unlock()
	b.faults = nil
}

func (b *tab) wellBehaved() {
	b.t.Helper()
	b.mu.Lock()
	defer b.mu.Unlock()
	for _, f := range b.faults {
		b.t.Errorf("the console says %s", f)
	}
}

// fill sets fields of a form by their names, and sends it.
func (b *tab) fill(form, button string, fields map[string]string) {
	b.t.Helper()
	for name, value := range fields {
		b.do(chromedp.SetValue(fmt.Sprintf(`%s [name="%s"]`, form, name), value, chromedp.ByQuery))
	}
	b.do(chromedp.Click(form+" "+button, chromedp.ByQuery))
}
