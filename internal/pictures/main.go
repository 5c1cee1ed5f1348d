// Command pictures draws the pictures of docs/concepts.md: go run ./internal/pictures DIR.
// Curves are computed by the code that judges in production, so that a picture says what
// is true; a test holds the committed files against what is drawn.
package main

import (
	"fmt"
	"os"
	"path/filepath"
)

func main() {
	if len(os.Args) != 2 {
		fmt.Fprintln(os.Stderr, "say into which directory: go run ./internal/pictures docs/images")
		os.Exit(2)
	}
	for name, draw := range pictures() {
		if err := os.WriteFile(filepath.Join(os.Args[1], name), []byte(draw()), 0o644); err != nil {
			fmt.Fprintln(os.Stderr, "pictures:", err)
			os.Exit(1)
		}
	}
}

// pictures are all of them, by the names of their files.
func pictures() map[string]func() string {
	return map[string]func() string{
		"pipeline.svg":     pipeline,
		"panes.svg":        panes,
		"burn-rate.svg":    burnRate,
		"canary.svg":       evidence,
		"command-life.svg": commandLife,
	}
}
