package main

import (
	"bytes"
	"context"
	"encoding/csv"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// seriesCSV is a quiet series with one spike.
func seriesCSV(rows, spike int) string {
	var b strings.Builder
	b.WriteString("timestamp,value\n")
	at := time.Date(2024, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range rows {
		v := float64(50 + (i*7919)%11)
		if i == spike {
			v = 500
		}
		fmt.Fprintf(&b, "%s,%g\n", at.Add(time.Duration(i)*5*time.Minute).Format("2006-01-02 15:04:05"), v)
	}
	return b.String()
}

func runDetect(t *testing.T, flags detectFlags, in string) (rows [][]string, talk string, err error) {
	t.Helper()
	var out, told bytes.Buffer
	if flags.detector == "" {
		flags.detector = "ensemble"
	}
	if flags.falseAlarms == 0 {
		flags.falseAlarms = 0.1
	}
	err = detect(context.Background(), &flags, strings.NewReader(in), &out, &told)
	if err != nil {
		return nil, told.String(), err
	}
	rows, csvErr := csv.NewReader(&out).ReadAll()
	if csvErr != nil && !errors.Is(csvErr, io.EOF) {
		t.Fatal(csvErr)
	}
	return rows, told.String(), nil
}

func TestDetectFindsTheSpike(t *testing.T) {
	rows, talk, err := runDetect(t, detectFlags{input: "-"}, seriesCSV(600, 400))
	if err != nil {
		t.Fatal(err)
	}
	if len(rows) != 601 {
		t.Fatalf("%d rows, want 601", len(rows))
	}
	if diff := cmp.Diff([]string{"timestamp", "value", "anomaly_score", "detector", "explanation"}, rows[0]); diff != "" {
		t.Error(diff)
	}
	best := 1
	for i, r := range rows[1:] {
		if r[2] > rows[best][2] {
			best = i + 1
		}
		if (r[2] == "0.000000") != (r[3] == "" && r[4] == "") {
			t.Errorf("row %d: %q", i, r)
		}
	}
	if best != 401 || rows[best][1] != "500" || !strings.Contains(rows[best][4], "500 is ") {
		t.Errorf("loudest row %d: %q", best, rows[best])
	}
	if !strings.HasPrefix(talk, "600 rows, 1 alarms") {
		t.Errorf("talk %q", talk)
	}
}

func TestDetectReadsTimesAndValues(t *testing.T) {
	in := strings.Join([]string{
		"extra,Value,Timestamp", "x,1,2024-01-01T00:00:00Z", "x,NaN,1704067260", "x,,1704067320.5", "x,null,2024-01-01 00:03:00.000000",
		"x,1e400,2024-01-01T01:04:00+01:00", "x, 2 ,2024-01-01T00:05:00",
	}, "\n")
	rows, _, err := runDetect(t, detectFlags{input: "-"}, in)
	if err != nil {
		t.Fatal(err)
	}
	var cells []string
	for _, r := range rows[1:] {
		cells = append(cells, r[0]+" "+r[1])
	}
	want := []string{
		"2024-01-01T00:00:00Z 1", "1704067260 NaN", "1704067320.5 ", "2024-01-01 00:03:00.000000 null",
		"2024-01-01T01:04:00+01:00 1e400", "2024-01-01T00:05:00  2 ",
	}
	if diff := cmp.Diff(want, cells); diff != "" {
		t.Error(diff)
	}
	rows, _, err = runDetect(t, detectFlags{input: "-"}, "1704067260,5\n1704067320,6\n")
	if err != nil || len(rows) != 3 {
		t.Errorf("without header: %d rows, %v", len(rows), err)
	}
}

func TestDetectErrors(t *testing.T) {
	f := func(flags detectFlags, in, want string) {
		t.Helper()
		_, _, err := runDetect(t, flags, in)
		var coded *codedError
		if err == nil || !strings.Contains(err.Error(), want) || !errors.As(err, &coded) || coded.code != exitUsage {
			t.Errorf("got %v, want usage error with %q", err, want)
		}
	}
	dir := t.TempDir()
	ranges := filepath.Join(dir, "ranges.csv")
	if err := os.WriteFile(ranges, []byte("file,min,max\na.csv,5,1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	f(detectFlags{}, "", "without --input")
	f(detectFlags{input: "-", detector: "magic"}, "", "unknown detector \"magic\"")
	f(detectFlags{input: "-"}, "", "empty file")
	f(detectFlags{input: "-"}, "a,b\n1,2\n", "-:1: columns timestamp and value")
	f(detectFlags{input: "-"}, "timestamp,value\nyesterday,2\n", "-:2: timestamp \"yesterday\"")
	f(detectFlags{input: "-"}, "timestamp,value\n1704067260,many\n", "-:2: value \"many\"")
	f(detectFlags{input: "-"}, "timestamp,value\n1704067260\n", "-:2: only 1 columns")
	f(detectFlags{input: "-"}, "timestamp,value\n1704067260000,1\n", "not in seconds")
	f(detectFlags{input: filepath.Join(dir, "none.csv")}, "", "none.csv")
	f(detectFlags{input: dir}, "", "--output names no directory")
	f(detectFlags{input: "-", ranges: ranges}, "", "ranges.csv:2: min 5 is above max 1")
	f(detectFlags{input: "-", falseAlarms: -1}, "", "false alarms")
	f(detectFlags{input: t.TempDir(), output: dir}, "", "any .csv")
}

func TestDetectDirectoryKeepsLayout(t *testing.T) {
	in, out := t.TempDir(), filepath.Join(t.TempDir(), "made")
	for _, name := range []string{"a.csv", "sub/b.csv", "sub/deep/c.CSV"} {
		path := filepath.Join(in, name)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(path, []byte(seriesCSV(300, 250)), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	ranges := filepath.Join(t.TempDir(), "ranges.csv")
	if err := os.WriteFile(ranges, []byte("file,min,max\nsub/b.csv,0,1000\nnot-there.csv,0,1\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, _, err := runDetect(t, detectFlags{input: in, output: out, ranges: ranges}, ""); err != nil {
		t.Fatal(err)
	}
	read := func(name string) string {
		t.Helper()
		b, err := os.ReadFile(filepath.Join(out, name))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	if a, c := read("a.csv"), read("sub/deep/c.CSV"); a != c || strings.Count(a, "\n") != 301 {
		t.Error("equal series without range give different results")
	}
	if read("a.csv") == read("sub/b.csv") {
		t.Error("the range of sub/b.csv made no difference")
	}
	// One file into a file gives the same as the directory.
	single := filepath.Join(t.TempDir(), "x", "single.csv")
	if _, _, err := runDetect(t, detectFlags{input: filepath.Join(in, "a.csv"), output: single}, ""); err != nil {
		t.Fatal(err)
	}
	b, err := os.ReadFile(single)
	if err != nil || string(b) != read("a.csv") {
		t.Errorf("single file differs from directory: %v", err)
	}
}

// A directory whose files grow gives the rows that it gave before, and more: nothing that
// was said is taken back.
func TestDetectDirectoryOfPrefixes(t *testing.T) {
	lines := strings.SplitAfter(seriesCSV(600, 450), "\n")
	rows := func(n int) string {
		in, out := t.TempDir(), t.TempDir()
		if err := os.WriteFile(filepath.Join(in, "a.csv"), []byte(strings.Join(lines[:n+1], "")), 0o644); err != nil {
			t.Fatal(err)
		}
		if _, _, err := runDetect(t, detectFlags{input: in, output: out}, ""); err != nil {
			t.Fatal(err)
		}
		b, err := os.ReadFile(filepath.Join(out, "a.csv"))
		if err != nil {
			t.Fatal(err)
		}
		return string(b)
	}
	whole := rows(600)
	if !strings.Contains(whole, ",500,0.") && !strings.Contains(whole, ",500,1.") {
		t.Fatal("the spike has no score")
	}
	for _, n := range []int{0, 1, 80, 299, 450, 451, 452, 599} {
		if got := rows(n); !strings.HasPrefix(whole, got) || strings.Count(got, "\n") != n+1 {
			t.Errorf("the first %d rows alone are judged otherwise than among all", n)
		}
	}
}
