// Command plots draws what every algorithm of the anomaly detectors says of a small
// simulated series: the value with what was expected of it, the surprise, and the finding.
// It writes the pictures of docs/detectors.md.
package main

import (
	"flag"
	"fmt"
	"os"
	"path/filepath"

	"github.com/flyball-io/flyball/detectors/anomaly/scenes"
)

func main() {
	out := flag.String("out", filepath.Join("docs", "detectors"), "folder for the pictures")
	flag.Parse()
	if err := run(*out); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(out string) error {
	if err := os.MkdirAll(out, 0o755); err != nil {
		return err
	}
	for _, s := range scenes.All() {
		picture, err := draw(&s)
		if err != nil {
			return fmt.Errorf("cannot draw %s: %w", s.Kind, err)
		}
		if err := os.WriteFile(filepath.Join(out, s.Kind.String()+".svg"), picture, 0o644); err != nil {
			return err
		}
	}
	return nil
}
