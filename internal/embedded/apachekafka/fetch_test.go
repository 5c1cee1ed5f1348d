package apachekafka

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// fakeMaven writes the given jars to where the arguments say.
func fakeMaven(calls *atomic.Int32, jars ...string) func(context.Context, io.Writer, string, ...string) error {
	return func(_ context.Context, output io.Writer, name string, args ...string) error {
		calls.Add(1)
		fmt.Fprintln(output, name, "speaks")
		for _, arg := range args {
			dir, found := strings.CutPrefix(arg, "-DoutputDirectory=")
			if !found {
				continue
			}
			if err := os.MkdirAll(dir, 0o755); err != nil {
				return err
			}
			for _, jar := range jars {
				if err := os.WriteFile(filepath.Join(dir, jar), []byte(jar), 0o644); err != nil {
					return err
				}
			}
		}
		return nil
	}
}

func brokerJar() string { return "kafka_2.13-" + KafkaVersion() + ".jar" }

func entries(t *testing.T, dir string) []string {
	t.Helper()
	list, err := os.ReadDir(dir)
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, e := range list {
		names = append(names, e.Name())
	}
	return names
}

func TestFetchOnceByManyAtOnce(t *testing.T) {
	var calls atomic.Int32
	cache := t.TempDir()
	home := "kafka-" + KafkaVersion()
	// A fetch that was killed has left this.
	if err := os.Mkdir(filepath.Join(cache, home+".tmp-1"), 0o755); err != nil {
		t.Fatal(err)
	}
	cfg := FetchConfig{Cache: cache, Progress: io.Discard, Run: fakeMaven(&calls, brokerJar(), "other.jar")}
	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			libs, err := Fetch(t.Context(), cfg)
			if err != nil {
				t.Error(err)
			}
			if want := filepath.Join(cache, home, "libs"); libs != want {
				t.Errorf("unexpected folder: got %q; want %q", libs, want)
			}
		})
	}
	all.Wait()
	if calls.Load() != 1 {
		t.Errorf("Maven ran %d times; want 1", calls.Load())
	}
	if diff := cmp.Diff([]string{home, home + ".lock"}, entries(t, cache)); diff != "" {
		t.Errorf("unexpected cache (-want +got):\n%s", diff)
	}
	if diff := cmp.Diff([]string{brokerJar(), "other.jar"}, entries(t, filepath.Join(cache, home, "libs"))); diff != "" {
		t.Errorf("unexpected libraries (-want +got):\n%s", diff)
	}
}

func TestFetchAgainForAnotherPom(t *testing.T) {
	var calls atomic.Int32
	cfg := FetchConfig{Cache: t.TempDir(), Progress: io.Discard, Run: fakeMaven(&calls, brokerJar())}
	libs, err := Fetch(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(libs, "outdated.jar"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(libs, "..", "pom.xml"), []byte("<project/>"), 0o644); err != nil {
		t.Fatal(err)
	}
	if _, err := Fetch(t.Context(), cfg); err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff([]string{brokerJar()}, entries(t, libs)); diff != "" || calls.Load() != 2 {
		t.Fatalf("after %d runs: unexpected libraries (-want +got):\n%s", calls.Load(), diff)
	}
}

func TestFetchFailures(t *testing.T) {
	var calls atomic.Int32
	refused := errors.New("exit status 1")
	f := func(run func(context.Context, io.Writer, string, ...string) error, want ...string) error {
		t.Helper()
		cache := t.TempDir()
		_, err := Fetch(t.Context(), FetchConfig{Cache: cache, Progress: io.Discard, Run: run})
		if err == nil {
			t.Fatal("no error")
		}
		for _, part := range want {
			if !strings.Contains(err.Error(), part) {
				t.Errorf("error without %q:\n%v", part, err)
			}
		}
		if diff := cmp.Diff([]string{"kafka-" + KafkaVersion() + ".lock"}, entries(t, cache)); diff != "" {
			t.Errorf("unexpected cache (-want +got):\n%s", diff)
		}
		// What failed once is tried again.
		if _, err := Fetch(t.Context(), FetchConfig{Cache: cache, Progress: io.Discard, Run: fakeMaven(&calls, brokerJar())}); err != nil {
			t.Error(err)
		}
		return err
	}
	err := f(func(_ context.Context, output io.Writer, _ string, _ ...string) error {
		fmt.Fprintln(output, "[ERROR] no such artifact")
		return refused
	}, "cannot fetch Apache Kafka", "[ERROR] no such artifact")
	if !errors.Is(err, refused) {
		t.Errorf("error does not wrap the program's: %v", err)
	}
	f(fakeMaven(&calls, "something-else.jar"), "left no broker", brokerJar(), "mvn speaks")

	t.Setenv("PATH", t.TempDir())
	err = f(nil, `"mvn"`, "apt-get install", "brew install")
	if !errors.Is(err, ErrNotInstalled) {
		t.Errorf("unexpected error: %v", err)
	}
}

func TestFetchWaitsForAnother(t *testing.T) {
	var calls atomic.Int32
	cache := t.TempDir()
	unlock, err := lockFile(t.Context(), filepath.Join(cache, "kafka-"+KafkaVersion()+".lock"), func() {})
	if err != nil {
		t.Fatal(err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	progress := writerFunc(func(p []byte) (int, error) {
		if !bytes.Contains(p, []byte("waiting for another process")) {
			t.Errorf("unexpected progress: %s", p)
		}
		cancel() // only once it waits
		return len(p), nil
	})
	cfg := FetchConfig{Cache: cache, Progress: progress, Run: fakeMaven(&calls, brokerJar())}
	if _, err := Fetch(ctx, cfg); !errors.Is(err, context.Canceled) {
		t.Fatalf("unexpected error: %v", err)
	}
	if calls.Load() != 0 {
		t.Fatal("fetched while another process does")
	}
	unlock()
	cfg.Progress = io.Discard
	if _, err := Fetch(t.Context(), cfg); err != nil || calls.Load() != 1 {
		t.Fatalf("after the lock is free: %d runs, %v", calls.Load(), err)
	}
}

type writerFunc func([]byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestFetchUsesCacheVariable(t *testing.T) {
	var calls atomic.Int32
	cache := filepath.Join(t.TempDir(), "new", "cache")
	t.Setenv("FLYBALL_CACHE", cache)
	libs, err := Fetch(t.Context(), FetchConfig{Progress: io.Discard, Run: fakeMaven(&calls, brokerJar())})
	if err != nil || !strings.HasPrefix(libs, cache) {
		t.Fatalf("unexpected folder %q, %v", libs, err)
	}
}
