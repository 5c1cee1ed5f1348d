package apachekafka

import (
	"bytes"
	"context"
	_ "embed"
	"encoding/xml"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"time"
)

//go:embed pom.xml
var pom []byte

// FetchConfig says where Fetch puts the jars and how it runs Maven. The zero value is what everybody wants.
type FetchConfig struct {
	// Cache is the folder that keeps the jars; empty means $FLYBALL_CACHE, else "flyball" in the user's cache folder.
	Cache string
	// Progress gets a line before and after a fetch; nil means standard error.
	Progress io.Writer
	// Run runs a program to its end and writes what it prints to output; nil means a child process.
	Run func(ctx context.Context, output io.Writer, name string, args ...string) error
}

// KafkaVersion returns the pinned version of Apache Kafka, for example "4.3.1".
func KafkaVersion() string {
	var project struct {
		Version string `xml:"properties>kafka.version"`
	}
	if err := xml.Unmarshal(pom, &project); err != nil || project.Version == "" {
		panic(fmt.Sprintf("BUG: the embedded pom.xml names no kafka.version: %v", err))
	}
	return project.Version
}

// Fetch returns the folder with the broker's jars and lets Maven download them when they are not there yet.
// They are put into place by one rename, so that a folder that exists is complete; of several
// processes that fetch at once, one does and the others wait. It needs mvn and a Java development kit on the first call only.
func Fetch(ctx context.Context, cfg FetchConfig) (string, error) {
	if cfg.Progress == nil {
		cfg.Progress = os.Stderr
	}
	if cfg.Run == nil {
		cfg.Run = runProgram
	}
	cache, err := cacheDir(cfg.Cache)
	if err != nil {
		return "", err
	}
	home := filepath.Join(cache, "kafka-"+KafkaVersion())
	libs := filepath.Join(home, "libs")
	if fetched(home) {
		return libs, nil
	}
	unlock, err := lockFile(ctx, home+".lock", func() {
		fmt.Fprintf(cfg.Progress, "waiting for another process that fetches Apache Kafka %s\n", KafkaVersion())
	})
	if err != nil {
		return "", err
	}
	defer unlock()
	if fetched(home) {
		return libs, nil
	}
	start := time.Now()
	fmt.Fprintf(cfg.Progress, "fetching Apache Kafka %s (about 45 MB, once) into %s\n", KafkaVersion(), home)
	if err := fetchInto(ctx, cfg, home); err != nil {
		return "", fmt.Errorf("cannot fetch Apache Kafka %q: %w", KafkaVersion(), err)
	}
	fmt.Fprintf(cfg.Progress, "fetched Apache Kafka %s in %s\n", KafkaVersion(), time.Since(start).Round(100*time.Millisecond))
	return libs, nil
}

// cacheDir returns the absolute cache folder, created.
func cacheDir(dir string) (string, error) {
	if dir == "" {
		dir = os.Getenv("FLYBALL_CACHE")
	}
	if dir == "" {
		user, err := os.UserCacheDir()
		if err != nil {
			return "", fmt.Errorf("cannot find cache folder (set FLYBALL_CACHE): %w", err)
		}
		dir = filepath.Join(user, "flyball")
	}
	dir, err := filepath.Abs(dir)
	if err != nil {
		return "", fmt.Errorf("cannot resolve cache folder %q: %w", dir, err)
	}
	if err := os.MkdirAll(dir, 0o755); err != nil {
		return "", fmt.Errorf("cannot create cache folder: %w", err)
	}
	return dir, nil
}

// fetched reports whether home was made from this very pom.xml: another set of libraries under the
// same Kafka version is fetched anew.
func fetched(home string) bool {
	have, err := os.ReadFile(filepath.Join(home, "pom.xml"))
	return err == nil && bytes.Equal(have, pom)
}

// fetchInto runs under the lock of home.
func fetchInto(ctx context.Context, cfg FetchConfig, home string) error {
	if leftovers, err := filepath.Glob(home + ".tmp-*"); err == nil {
		for _, dir := range leftovers {
			os.RemoveAll(dir)
		}
	}
	tmp, err := os.MkdirTemp(filepath.Dir(home), filepath.Base(home)+".tmp-")
	if err != nil {
		return fmt.Errorf("cannot create folder: %w", err)
	}
	defer os.RemoveAll(tmp)
	if err := os.Chmod(tmp, 0o755); err != nil {
		return fmt.Errorf("cannot open folder to readers: %w", err)
	}
	pomFile := filepath.Join(tmp, "pom.xml")
	if err := os.WriteFile(pomFile, pom, 0o644); err != nil {
		return fmt.Errorf("cannot write pom.xml: %w", err)
	}
	libs := filepath.Join(tmp, "libs")
	var output bytes.Buffer
	// -C fails the fetch when a jar does not match its published checksum, instead of warning about it.
	err = cfg.Run(ctx, &output, "mvn", "-q", "-B", "-C", "-f", pomFile,
		"dependency:copy-dependencies", "-DincludeScope=runtime", "-DoutputDirectory="+libs)
	if err != nil {
		return fmt.Errorf("%w%s", err, indented(lastLines(output.String(), 20)))
	}
	broker := filepath.Join(libs, "kafka_2.13-"+KafkaVersion()+".jar")
	if _, err := os.Stat(broker); err != nil {
		return fmt.Errorf("mvn ended well but left no broker: %w%s", err, indented(lastLines(output.String(), 20)))
	}
	if err := os.RemoveAll(home); err != nil {
		return fmt.Errorf("cannot remove outdated folder: %w", err)
	}
	if err := os.Rename(tmp, home); err != nil {
		return fmt.Errorf("cannot move libraries into place: %w", err)
	}
	return nil
}

// ErrNotInstalled is wrapped by errors about a program that is not on this machine.
var ErrNotInstalled = errors.New("not installed")

func runProgram(ctx context.Context, output io.Writer, name string, args ...string) error {
	path, err := exec.LookPath(name)
	if err != nil {
		return notInstalled(name)
	}
	cmd := exec.CommandContext(ctx, path, args...)
	cmd.Stdout, cmd.Stderr = output, output
	cmd.WaitDelay = 5 * time.Second
	if err := cmd.Run(); err != nil {
		return fmt.Errorf("cannot run %q: %w", name, err)
	}
	return nil
}

func notInstalled(name string) error {
	return fmt.Errorf("cannot find program %q: %w: install a Java 17 (or later) development kit and Maven 3.6.3 (or later); "+
		"on Debian and Ubuntu: apt-get install openjdk-17-jdk-headless maven; on macOS: brew install openjdk@17 maven",
		name, ErrNotInstalled)
}

// findJava prefers JAVA_HOME, as Kafka's own scripts do.
func findJava() (string, error) {
	if home := os.Getenv("JAVA_HOME"); home != "" {
		if path, err := exec.LookPath(filepath.Join(home, "bin", "java")); err == nil {
			return path, nil
		}
	}
	path, err := exec.LookPath("java")
	if err != nil {
		return "", notInstalled("java")
	}
	return path, nil
}

func indented(text string) string {
	if text == "" {
		return ""
	}
	return "\n  | " + strings.ReplaceAll(text, "\n", "\n  | ")
}
