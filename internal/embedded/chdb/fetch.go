package chdb

import (
	"context"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"

	"github.com/flyball-io/flyball/internal/embedded/filelock"
)

// Version is the version of the npm packages that carry libchdb. The library
// in them is ClickHouse 26.7.2.1.
const Version = "26.7.3-stable.1"

// LibraryEnv names the environment variable with the path of a libchdb to use
// instead of the cached one, for systems without a package of ours.
const LibraryEnv = "FLYBALL_CHDB_LIB"

// CacheEnv names the environment variable with the cache directory. Without
// it the cache is the folder flyball in the user's cache directory.
const CacheEnv = "FLYBALL_CACHE"

// SkipEnv names the environment variable that, set to 1, makes tests skip what
// needs the library and the fetch command do nothing.
const SkipEnv = "FLYBALL_SKIP_CHDB"

// Run starts a program in a directory and waits for it. Its output goes to
// out. Tests put their own in place of the real one.
type Run func(ctx context.Context, dir string, out io.Writer, name string, args ...string) error

// FetchConfig changes where and how [Fetch] gets the library. The zero value
// is what programs use.
type FetchConfig struct {
	// CacheDir holds what was fetched; empty means CacheEnv, else the user's
	// cache directory.
	CacheDir string
	// Progress gets one line per step and, while a download runs, how long it
	// has taken: rewritten in place on a terminal, a line every five seconds
	// elsewhere. Nil means silence.
	Progress io.Writer
	// Run starts npm; nil means the real one.
	Run Run
	// Package is the package to get; the zero value means the pinned package
	// of this platform.
	Package Package
}

// Package is one npm package with the library in it.
type Package struct {
	// Name is the package's name in the registry.
	Name string
	// SHA512 is the base64 form of the tarball's SHA-512, as in npm's
	// dist.integrity behind "sha512-".
	SHA512 string
}

// PinnedPackage is the package for an operating system and architecture in
// Go's names. It reports false where no tarball has been pinned.
func PinnedPackage(goos, goarch string) (Package, bool) {
	switch goos + "/" + goarch {
	case "linux/amd64":
		return Package{
			Name:   "@chdb/lib-linux-x64-gnu",
			SHA512: "XP97mMqnc5tZpKQywR8N7cLTsHNiTmHr30pC5mzo3jWmukjKn2IBa60c2B/gWUNcuFjOMjWoorQICCqBVj5wpw==",
		}, true
	}
	return Package{}, false
}

// Fetch returns the path of libchdb: the one that LibraryEnv names, else the
// one in the cache, which is filled once with `npm pack` (178 MB over the
// network, 566 MB on disk). npm's own configuration decides the registry; the
// tarball must have the pinned checksum. Any number of processes may call it
// at once: one of them downloads.
func Fetch(ctx context.Context, cfg FetchConfig) (string, error) {
	if path := os.Getenv(LibraryEnv); path != "" {
		if _, err := os.Stat(path); err != nil {
			return "", fmt.Errorf("cannot use library %q of %s: %w", path, LibraryEnv, err)
		}
		return path, nil
	}
	cfg, err := cfg.complete()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(cfg.CacheDir, "chdb", Version, strings.ReplaceAll(strings.TrimPrefix(cfg.Package.Name, "@"), "/", "-"))
	path := filepath.Join(dir, "libchdb.so")
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("cannot make cache directory %q: %w", dir, err)
	}
	unlock, err := filelock.Lock(ctx, filepath.Join(dir, "lock"), func() {
		cfg.say("waiting for another process that fetches libchdb into %s", dir)
	})
	if err != nil {
		return "", err
	}
	defer unlock()
	// Another process may have put it there while this one waited.
	if _, err := os.Stat(path); err == nil {
		return path, nil
	}
	if err := cfg.download(ctx, dir, path); err != nil {
		return "", fmt.Errorf("cannot fetch libchdb: %w", err)
	}
	return path, nil
}

func (cfg FetchConfig) complete() (FetchConfig, error) {
	if cfg.Package == (Package{}) {
		pinned, ok := PinnedPackage(runtime.GOOS, runtime.GOARCH)
		if !ok {
			return cfg, fmt.Errorf("cannot fetch libchdb: no package is pinned for %s/%s; build or install libchdb %s yourself and set %s to its path",
				runtime.GOOS, runtime.GOARCH, Version, LibraryEnv)
		}
		cfg.Package = pinned
	}
	if cfg.CacheDir == "" {
		cfg.CacheDir = os.Getenv(CacheEnv)
	}
	if cfg.CacheDir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return cfg, fmt.Errorf("cannot find a cache directory: %w; set %s to one", err, CacheEnv)
		}
		cfg.CacheDir = filepath.Join(user, "flyball")
	}
	if cfg.Run == nil {
		cfg.Run = runCommand
	}
	if cfg.Progress == nil {
		cfg.Progress = io.Discard
	}
	return cfg, nil
}

func (cfg FetchConfig) say(format string, args ...any) {
	fmt.Fprintf(cfg.Progress, format+"\n", args...)
}

// download fills the cache. The caller holds the lock, so folders left by a
// process that was killed are of no use to anyone and go.
func (cfg FetchConfig) download(ctx context.Context, dir, path string) error {
	const prefix = "fetch-"
	if old, err := filepath.Glob(filepath.Join(dir, prefix+"*")); err == nil {
		for _, d := range old {
			os.RemoveAll(d)
		}
	}
	tmp, err := os.MkdirTemp(dir, prefix)
	if err != nil {
		return fmt.Errorf("cannot make folder: %w", err)
	}
	defer os.RemoveAll(tmp)

	cfg.say("fetching ClickHouse as a library, once: npm package %s@%s (178 MB) into %s", cfg.Package.Name, Version, dir)
	tarball, err := cfg.pack(ctx, tmp)
	if err != nil {
		return err
	}
	if err := verify(tarball, cfg.Package.SHA512); err != nil {
		return err
	}
	cfg.say("checksum is right, unpacking")
	unpacked := filepath.Join(tmp, "libchdb.so")
	if err := unpack(tarball, "package/libchdb.so", unpacked); err != nil {
		return err
	}
	// The rename is what makes it visible: a reader sees all of it or nothing.
	if err := os.Rename(unpacked, path); err != nil {
		return fmt.Errorf("cannot move library into place: %w", err)
	}
	cfg.say("libchdb is in %s", path)
	return nil
}

// pack lets npm download the tarball, so that the user's registry, proxy and
// credentials apply, and returns its path.
func (cfg FetchConfig) pack(ctx context.Context, tmp string) (string, error) {
	var output strings.Builder
	stop := showProgress(cfg.Progress, tmp)
	err := cfg.Run(ctx, tmp, &output, "npm", "pack", cfg.Package.Name+"@"+Version, "--ignore-scripts", "--no-audit", "--no-fund",
		// A cache of its own: it shows how far npm is, and npm's usual one
		// would keep another copy for good.
		"--cache", filepath.Join(tmp, "npm"))
	stop()
	if errors.Is(err, exec.ErrNotFound) {
		return "", fmt.Errorf("npm is not on the PATH: install Node.js, which brings npm, or set %s to the path of a libchdb %s: %w", LibraryEnv, Version, err)
	}
	if err != nil {
		return "", fmt.Errorf("npm pack %s@%s failed: %w; npm said:\n%s", cfg.Package.Name, Version, err, tail(output.String(), 2000))
	}
	found, err := filepath.Glob(filepath.Join(tmp, "*.tgz"))
	if err != nil || len(found) != 1 {
		return "", fmt.Errorf("npm pack %s@%s left %d tarballs where one was expected", cfg.Package.Name, Version, len(found))
	}
	return found[0], nil
}

func runCommand(ctx context.Context, dir string, out io.Writer, name string, args ...string) error {
	cmd := exec.CommandContext(ctx, name, args...)
	cmd.Dir, cmd.Stdout, cmd.Stderr = dir, out, out
	return cmd.Run()
}

func tail(s string, n int) string { return s[max(0, len(s)-n):] }
