package apachekafka

import (
	"bufio"
	"fmt"
	"net"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"syscall"
	"testing"

	"github.com/twmb/franz-go/pkg/kfake"
	"go.uber.org/goleak"
)

func TestMain(m *testing.M) {
	if mode := os.Getenv("FLYBALL_FAKE_JAVA"); mode != "" {
		os.Exit(fakeJava(mode, os.Args[1:]))
	}
	if os.Getenv("FLYBALL_PARENT") != "" {
		os.Exit(parentOfSleep())
	}
	goleak.VerifyTestMain(kafka.Wrap(m))
}

// installFakeJava makes findJava find a program that runs this test binary as fakeJava.
func installFakeJava(t *testing.T, mode string) {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	home := t.TempDir()
	if err := os.Mkdir(filepath.Join(home, "bin"), 0o755); err != nil {
		t.Fatal(err)
	}
	script := fmt.Sprintf("#!/bin/sh\nexec env FLYBALL_FAKE_JAVA=%s '%s' \"$@\"\n", mode, self)
	if err := os.WriteFile(filepath.Join(home, "bin", "java"), []byte(script), 0o755); err != nil {
		t.Fatal(err)
	}
	t.Setenv("JAVA_HOME", home)
}

// fakeJava stands in for "java … StorageTool format" and "java … kafka.Kafka"; mode says how the latter behaves.
func fakeJava(mode string, args []string) int {
	settings, err := readSettings(args[len(args)-1])
	if err != nil {
		fmt.Println(err)
		return 2
	}
	if slices.Contains(args, "kafka.tools.StorageTool") {
		return fakeFormat(mode, settings)
	}
	fmt.Println("arguments:", strings.Join(args, " "))
	terminate := make(chan os.Signal, 1)
	switch mode {
	case "crash":
		fmt.Println("java.lang.IllegalStateException: as the test wants it")
		return 3
	case "old":
		fmt.Println("java.lang.UnsupportedClassVersionError: kafka/Kafka")
		return 1
	case "mute":
		<-terminate
	case "taken-once":
		if _, err := os.Stat("taken"); err != nil {
			fmt.Printf("Socket server failed to bind to %s: Address already in use.\n", settings["listeners"])
			if err := os.WriteFile("taken", []byte(settings["listeners"]), 0o644); err != nil {
				return 2
			}
			return 1
		}
	case "stubborn":
		signal.Ignore(syscall.SIGTERM)
	}
	if mode != "stubborn" {
		signal.Notify(terminate, syscall.SIGTERM)
	}
	_, port, err := net.SplitHostPort(strings.TrimPrefix(settings["advertised.listeners"], "PLAINTEXT://"))
	if err != nil {
		fmt.Println(err)
		return 2
	}
	number, err := strconv.Atoi(port)
	if err != nil {
		fmt.Println(err)
		return 2
	}
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1), kfake.Ports(number))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	defer cluster.Close()
	<-terminate
	fmt.Println("terminated in order")
	return 0
}

func fakeFormat(mode string, settings map[string]string) int {
	if mode == "unformattable" {
		fmt.Println("Error while writing meta.properties file")
		return 1
	}
	dir := settings["log.dirs"]
	if err := os.Mkdir(dir, 0o755); err != nil { // fails when formatted twice
		fmt.Println(err)
		return 1
	}
	if err := os.WriteFile(filepath.Join(dir, "meta.properties"), nil, 0o644); err != nil {
		fmt.Println(err)
		return 1
	}
	return 0
}

// readSettings reads a properties file without escapes.
func readSettings(path string) (map[string]string, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	settings := map[string]string{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		name, value, _ := strings.Cut(lines.Text(), "=")
		settings[name] = value
	}
	return settings, lines.Err()
}

// parentOfSleep starts a child that would outlive it, prints its id and waits to be killed.
func parentOfSleep() int {
	p, err := startProcess(exec.Command("sleep", "600"))
	if err != nil {
		fmt.Println(err)
		return 1
	}
	fmt.Println(p.os.Pid)
	<-p.exited
	return 0
}
