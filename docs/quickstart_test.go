package docs_test

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"syscall"
	"testing"
	"time"
)

// patience is how long a reader waits for what a page promises.
const patience = 2 * time.Minute

// TestQuickStart does what docs/quickstart.md says, word by word, and looks for what it
// shows. Blocks with a title are files, those marked background go on beside the others,
// and those marked again are asked until they answer. Lines of text are those of the last
// command: digits may be others, … is anything.
func TestQuickStart(t *testing.T) {
	if testing.Short() {
		t.Skip("it takes a minute")
	}
	if os.Getenv("FLYBALL_SKIP_CHDB") == "1" {
		t.Skip("FLYBALL_SKIP_CHDB=1: no embedded ClickHouse")
	}
	if _, err := built(); err != nil {
		t.Fatal(err)
	}
	abs, err := filepath.Abs(root)
	if err != nil {
		t.Fatal(err)
	}
	w := &walk{t: t, dir: abs, state: filepath.Join(t.TempDir(), "state"), env: []string{"TRY=" + t.TempDir()}}
	for _, name := range []string{"KAFKA", "CLICKHOUSE", "SHOP", "MINE"} {
		w.env = append(w.env, name+"="+freeAddress(t))
	}
	title := regexp.MustCompile(`^title="([^"]+)"$`)
	var last *shell
	var lastBlock block
	for _, b := range pages()["docs/quickstart.md"].blocks {
		switch {
		case b.lang == "yaml":
			m := title.FindStringSubmatch(b.info)
			if m == nil {
				t.Fatalf("line %d: a file without a title", b.line)
			}
			if err := os.WriteFile(filepath.Join(w.folder(), m[1]), []byte(b.text), 0o644); err != nil {
				t.Fatal(err)
			}
		case b.lang == "sh":
			lastBlock, last = b, w.run(b)
		case b.lang == "text":
			w.expect(b, last, lastBlock)
		}
	}
}

func freeAddress(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// walk is a reader at the keyboard.
type walk struct {
	t   *testing.T
	dir string
	env []string
	// state keeps what a block has exported for those that follow, and state.pwd where it
	// has gone.
	state string
}

// folder is where the reader is.
func (w *walk) folder() string {
	if at, err := os.ReadFile(w.state + ".pwd"); err == nil {
		return strings.TrimSpace(string(at))
	}
	return w.dir
}

// shell is a block that runs or has run.
type shell struct {
	mu  sync.Mutex
	out bytes.Buffer
	// more is told that there is more.
	more chan struct{}
	// ended is closed when it is over.
	ended chan struct{}
	err   error
}

// Write takes what it prints.
func (s *shell) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	select {
	case s.more <- struct{}{}:
	default:
	}
	return s.out.Write(p)
}

func (s *shell) text() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.out.String()
}

func (w *walk) start(b block) (*shell, *exec.Cmd) {
	w.t.Helper()
	script := "set -euo pipefail\n[ ! -f " + w.state + " ] || . " + w.state + "\n"
	if b.info == "background" {
		script += "exec " + b.text
	} else {
		script += b.text + "\nexport -p > " + w.state + "\npwd > " + w.state + ".pwd\n"
	}
	ctx, stop := context.WithTimeout(context.Background(), 10*time.Minute)
	cmd := exec.CommandContext(ctx, "bash", "-c", script)
	cmd.Dir, cmd.Env = w.folder(), append(os.Environ(), w.env...)
	s := &shell{more: make(chan struct{}, 1), ended: make(chan struct{})}
	cmd.Stdout, cmd.Stderr = s, s
	if err := cmd.Start(); err != nil {
		w.t.Fatal(err)
	}
	go func() {
		s.err = cmd.Wait()
		stop()
		close(s.ended)
	}()
	return s, cmd
}

func (w *walk) run(b block) *shell {
	w.t.Helper()
	began := time.Now()
	s, cmd := w.start(b)
	if b.info == "background" {
		w.t.Cleanup(func() {
			_ = cmd.Process.Signal(syscall.SIGINT) // as Ctrl-C does
			<-s.ended
			if s.err != nil {
				w.t.Errorf("line %d ended with %v:\n%s", b.line, s.err, tail(s.text()))
			}
		})
		return s
	}
	<-s.ended
	w.t.Logf("line %d took %v", b.line, time.Since(began).Round(time.Millisecond))
	if s.err != nil && b.info != "again" {
		w.t.Fatalf("line %d: %v\n%s%s", b.line, s.err, b.text, tail(s.text()))
	}
	return s
}

// expect waits until a command has printed what the page shows.
func (w *walk) expect(b block, s *shell, of block) {
	w.t.Helper()
	began := time.Now()
	for {
		missing := ""
		for _, line := range strings.Split(strings.TrimSpace(b.text), "\n") {
			if !pattern(line).MatchString(s.text()) {
				missing = line
				break
			}
		}
		if missing == "" {
			w.t.Logf("line %d is shown after %v", b.line, time.Since(began).Round(time.Millisecond))
			return
		}
		over := of.info == "" // it has said all that it will say
		select {
		case <-s.ended:
			over = over || of.info == "background"
		default:
		}
		if over || time.Since(began) > patience {
			w.t.Fatalf("line %d is not shown by the command of line %d: %s\nbut\n%s", b.line, of.line, missing, tail(s.text()))
		}
		if of.info == "again" {
			s = w.run(of)
			continue
		}
		select {
		case <-s.more:
		case <-s.ended:
		case <-time.After(patience):
		}
	}
}

var (
	digits = regexp.MustCompile(`[0-9]+`)
	spaces = regexp.MustCompile(`\s+`)
)

// pattern makes a line of the page an expression that fits lines that say the same.
func pattern(line string) *regexp.Regexp {
	var parts []string
	for _, part := range strings.Split(line, "…") {
		part = regexp.QuoteMeta(strings.TrimSpace(part))
		part = digits.ReplaceAllString(part, `[0-9]+`)
		parts = append(parts, spaces.ReplaceAllString(part, `\s+`))
	}
	return regexp.MustCompile(strings.Join(parts, ".*"))
}

func tail(text string) string {
	const most = 4000
	if len(text) > most {
		return fmt.Sprintf("[…]%s", text[len(text)-most:])
	}
	return text
}
