package main

import (
	"bytes"
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// flyballTest runs `flyball test` and returns what it prints and its exit code.
func flyballTest(t *testing.T, args ...string) (stdout, stderr string, code int) {
	t.Helper()
	var out, talk bytes.Buffer
	root := newRoot()
	root.SetArgs(append([]string{"test"}, args...))
	root.SetOut(&out)
	root.SetErr(&talk)
	err := root.ExecuteContext(t.Context())
	if err != nil {
		code = exitError
		var coded *codedError
		if errors.As(err, &coded) {
			code = coded.code
		}
		talk.WriteString(err.Error())
	}
	return out.String(), talk.String(), code
}

func scenarioFile(t *testing.T, dir, name, script string) string {
	t.Helper()
	path := filepath.Join(dir, name)
	text := "-- input --\npartition 0 cart: 5!1x12\n-- script --\n" + script
	if err := os.WriteFile(path, []byte(text), 0o644); err != nil {
		t.Fatal(err)
	}
	return path
}

func TestTestCommand(t *testing.T) {
	dir := t.TempDir()
	good := scenarioFile(t, dir, "good.txtar", "advance 1m10s\nexpect window count=30\n")
	f := func(wantCode int, wantOut, wantTalk string, args ...string) {
		t.Helper()
		out, talk, code := flyballTest(t, args...)
		if code != wantCode || !strings.Contains(out, wantOut) || !strings.Contains(talk, wantTalk) {
			t.Errorf("flyball test %q: exit %d, want %d\nstdout: %s\nwant: %s\nstderr: %s\nwant: %s", args, code, wantCode, out, wantOut, talk, wantTalk)
		}
	}
	f(exitOK, "ok   "+good, "1 passed, 0 failed", good)
	f(exitOK, "ok   "+good, good+":4: advance 1m10s\n    1m10s window requests cart", "-v", "--once", good)
	bad := scenarioFile(t, dir, "bad.txtar", "advance 1m10s\nexpect window count=31\n")
	f(exitTests, "FAIL "+bad, "1 passed, 1 failed", dir+"/...")
	f(exitTests, bad+`:5: expected one line with "window count=31"`, "", dir)
	f(exitOK, "ok   "+good, "1 passed, 0 failed", "--run", "good", dir)
	f(exitUsage, "", `none of 2 scenarios matches --run "nothing"`, "--run", "nothing", dir)
	f(exitUsage, "", "cannot read --run", "--run", "(", dir)
	f(exitUsage, "", "name a scenario file or a directory")
	f(exitUsage, "", "cannot find scenarios", filepath.Join(dir, "absent"))
	f(exitUsage, "", "unknown output format", "-o", "xml", dir)
	wrong := scenarioFile(t, t.TempDir(), "wrong.txtar", "advance soon\n")
	f(exitUsage, "", wrong+":4: want a duration above 0", wrong)
	lost := scenarioFile(t, t.TempDir(), "lost.txtar", "lag partition 7\n")
	f(exitTests, lost+":4: there is no partition spans/7", "", lost)
}

func TestTestCommandReports(t *testing.T) {
	dir := t.TempDir()
	scenarioFile(t, dir, "a.txtar", "advance 1m10s\nexpect window count=31\n")
	report := filepath.Join(dir, "report.xml")
	out, _, code := flyballTest(t, "-o", "json", "--once", "--junit", report, dir)
	var line struct {
		Path     string `json:"path"`
		OK       bool   `json:"ok"`
		Failures []struct {
			Line int    `json:"line"`
			Text string `json:"text"`
		} `json:"failures"`
	}
	if err := json.Unmarshal([]byte(out), &line); err != nil {
		t.Fatalf("%v: %s", err, out)
	}
	if code != exitTests || line.OK || filepath.Base(line.Path) != "a.txtar" || len(line.Failures) != 1 || line.Failures[0].Line != 5 {
		t.Errorf("exit %d, %+v", code, line)
	}
	xml, err := os.ReadFile(report)
	if err != nil || !strings.Contains(string(xml), `tests="1" failures="1"`) {
		t.Errorf("report is %s, %v", xml, err)
	}
}

func TestTestCommandUpdates(t *testing.T) {
	path := scenarioFile(t, t.TempDir(), "a.txtar", "advance 1m10s\n----\n")
	if out, _, code := flyballTest(t, path); code != exitTests {
		t.Errorf("an output that is not there passes: %s", out)
	}
	if out, _, code := flyballTest(t, "--update", path); code != exitOK || !strings.HasPrefix(out, "new  "+path) {
		t.Errorf("exit %d: %s", code, out)
	}
	if out, _, code := flyballTest(t, path); code != exitOK {
		t.Errorf("exit %d after an update: %s", code, out)
	}
}
