package chdb

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"context"
	"crypto/sha512"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"sync/atomic"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/flyball-io/flyball/internal/embedded/filelock"
)

// tarballOf makes a package as npm would download it, and its checksum.
func tarballOf(t testing.TB, members map[string]string) (data []byte, sum string) {
	t.Helper()
	var buf bytes.Buffer
	zipped := gzip.NewWriter(&buf)
	w := tar.NewWriter(zipped)
	for name, text := range members {
		if err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(text)), Typeflag: tar.TypeReg}); err != nil {
			t.Fatal(err)
		}
		if _, err := io.WriteString(w, text); err != nil {
			t.Fatal(err)
		}
	}
	if err := errors.Join(w.Close(), zipped.Close()); err != nil {
		t.Fatal(err)
	}
	hash := sha512.Sum512(buf.Bytes())
	return buf.Bytes(), base64.StdEncoding.EncodeToString(hash[:])
}

// fakeNPM leaves the given tarballs in the folder and counts its calls.
func fakeNPM(calls *atomic.Int32, tarballs ...[]byte) Run {
	return func(_ context.Context, dir string, out io.Writer, name string, args ...string) error {
		calls.Add(1)
		fmt.Fprintln(out, "npm warn about nothing")
		if name != "npm" || !slices.Contains(args, "pack") || !slices.Contains(args, "@x/lib@"+Version) {
			return fmt.Errorf("called as %s %v", name, args)
		}
		for i, data := range tarballs {
			if err := os.WriteFile(filepath.Join(dir, fmt.Sprintf("x-lib-%d.tgz", i)), data, 0o644); err != nil {
				return err
			}
		}
		return nil
	}
}

// filesBelow lists the files and folders of a cache, without the lock.
func filesBelow(t testing.TB, dir string) (list []string) {
	t.Helper()
	err := filepath.WalkDir(dir, func(path string, d os.DirEntry, err error) error {
		if err == nil && d.Name() != "lock" && (!d.IsDir() || strings.HasPrefix(d.Name(), "fetch-")) {
			list = append(list, d.Name())
		}
		return err
	})
	if err != nil {
		t.Fatal(err)
	}
	return list
}

func TestFetchOnce(t *testing.T) {
	t.Setenv(LibraryEnv, "")
	data, sum := tarballOf(t, map[string]string{"package/index.js": "js", "package/libchdb.so": "the library"})
	cache := t.TempDir()
	t.Setenv(CacheEnv, cache)
	var calls atomic.Int32
	var progress bytes.Buffer
	cfg := FetchConfig{Run: fakeNPM(&calls, data), Package: Package{"@x/lib", sum}, Progress: &progress}
	var want string
	for range 3 {
		path, err := Fetch(t.Context(), cfg)
		if err != nil {
			t.Fatal(err)
		}
		if want = filepath.Join(cache, "chdb", Version, "x-lib", "libchdb.so"); path != want {
			t.Errorf("got %q, want %q", path, want)
		}
		if text, err := os.ReadFile(path); err != nil || string(text) != "the library" {
			t.Errorf("library is %q, %v", text, err)
		}
	}
	if calls.Load() != 1 {
		t.Errorf("npm ran %d times", calls.Load())
	}
	if diff := cmp.Diff([]string{"libchdb.so"}, filesBelow(t, cache)); diff != "" {
		t.Error(diff)
	}
	if info, err := os.Stat(want); err != nil || info.Mode().Perm()&0o111 == 0 {
		t.Errorf("mode %v, %v", info.Mode(), err)
	}
	if !strings.Contains(progress.String(), "@x/lib@"+Version) {
		t.Errorf("progress says %q", progress.String())
	}
}

func TestFetchFailuresLeaveNothing(t *testing.T) {
	t.Setenv(LibraryEnv, "")
	good, sum := tarballOf(t, map[string]string{"package/libchdb.so": "the library"})
	other, otherSum := tarballOf(t, map[string]string{"package/other.so": "x"})
	broken := good[:len(good)/2]
	brokenHash := sha512.Sum512(broken)
	brokenSum := base64.StdEncoding.EncodeToString(brokenHash[:])
	var calls atomic.Int32
	boom := errors.New("exit status 1")
	f := func(run Run, sum string, wants ...string) {
		t.Helper()
		cache := t.TempDir()
		// What a killed process left is cleared away too.
		stale := filepath.Join(cache, "chdb", Version, "x-lib", "fetch-123")
		if err := os.MkdirAll(stale, 0o755); err != nil {
			t.Fatal(err)
		}
		path, err := Fetch(t.Context(), FetchConfig{CacheDir: cache, Run: run, Package: Package{"@x/lib", sum}})
		if err == nil {
			t.Fatalf("got %q", path)
		}
		for _, want := range wants {
			if !strings.Contains(err.Error(), want) {
				t.Errorf("%v\nlacks %q", err, want)
			}
		}
		if left := filesBelow(t, cache); len(left) > 0 {
			t.Errorf("left behind: %v", left)
		}
	}
	f(fakeNPM(&calls, good), otherSum, "wrong checksum", sum, otherSum)
	f(fakeNPM(&calls, other), otherSum, "it has no package/libchdb.so")
	f(fakeNPM(&calls, broken), brokenSum, "cannot ", "unexpected EOF")
	f(fakeNPM(&calls), sum, "left 0 tarballs")
	f(fakeNPM(&calls, good, other), sum, "left 2 tarballs")
	f(func(_ context.Context, _ string, out io.Writer, _ string, _ ...string) error {
		io.WriteString(out, "npm error code E404")
		return boom
	}, sum, "exit status 1", "npm error code E404")
	f(func(context.Context, string, io.Writer, string, ...string) error {
		return &exec.Error{Name: "npm", Err: exec.ErrNotFound}
	}, sum, "npm is not on the PATH", "install Node.js", LibraryEnv)
}

func TestFetchAtOnce(t *testing.T) {
	t.Setenv(LibraryEnv, "")
	data, sum := tarballOf(t, map[string]string{"package/libchdb.so": strings.Repeat("the library", 100_000)})
	cfg := FetchConfig{CacheDir: t.TempDir(), Package: Package{"@x/lib", sum}}
	var calls atomic.Int32
	cfg.Run = fakeNPM(&calls, data)
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			path, err := Fetch(t.Context(), cfg)
			if err != nil {
				t.Error(err)
				return
			}
			if info, err := os.Stat(path); err != nil || info.Size() != 1_100_000 {
				t.Errorf("%v, %v", info, err)
			}
		})
	}
	wg.Wait()
	if calls.Load() != 1 {
		t.Errorf("npm ran %d times", calls.Load())
	}
}

func TestFetchUsesGivenLibrary(t *testing.T) {
	path := filepath.Join(t.TempDir(), "libchdb.so")
	t.Setenv(LibraryEnv, path)
	if _, err := Fetch(t.Context(), FetchConfig{}); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	if err := os.WriteFile(path, nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if got, err := Fetch(t.Context(), FetchConfig{}); err != nil || got != path {
		t.Errorf("got %q, %v", got, err)
	}
}

func TestFetchStopsWaiting(t *testing.T) {
	t.Setenv(LibraryEnv, "")
	cache := t.TempDir()
	dir := filepath.Join(cache, "chdb", Version, "x-lib")
	if err := os.MkdirAll(dir, 0o755); err != nil {
		t.Fatal(err)
	}
	unlock, err := filelock.Lock(t.Context(), filepath.Join(dir, "lock"), func() {})
	if err != nil {
		t.Fatal(err)
	}
	defer unlock()
	ctx, cancel := context.WithCancel(t.Context())
	said := writerFunc(func(p []byte) (int, error) {
		cancel() // the other process is reported once waiting has begun
		return len(p), nil
	})
	_, err = Fetch(ctx, FetchConfig{CacheDir: cache, Package: Package{"@x/lib", "sum"}, Progress: said, Run: fakeNPM(new(atomic.Int32))})
	if !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
}

type writerFunc func(p []byte) (int, error)

func (f writerFunc) Write(p []byte) (int, error) { return f(p) }

func TestPinnedPackages(t *testing.T) {
	f := func(goos, goarch string, want bool) {
		t.Helper()
		p, ok := PinnedPackage(goos, goarch)
		if ok != want {
			t.Fatalf("%s/%s: %v", goos, goarch, ok)
		}
		if raw, err := base64.StdEncoding.DecodeString(p.SHA512); ok && (err != nil || len(raw) != sha512.Size) {
			t.Errorf("%s/%s: checksum %q: %v", goos, goarch, p.SHA512, err)
		}
	}
	f("linux", "amd64", true)
	f("windows", "amd64", false)
	f("plan9", "arm", false)
}
