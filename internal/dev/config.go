package dev

import (
	"bytes"
	"embed"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"github.com/flyball-io/flyball/examples"
	"github.com/flyball-io/flyball/internal/config"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

//go:embed shop/*.yaml
var shopConfig embed.FS

// loadConfig reads the configuration of an example, or of the shop where the name is
// empty.
func loadConfig(example string) (*config.Config, error) {
	from, root := fs.FS(shopConfig), "."
	if example != "" {
		if !slices.Contains(examples.Names(), example) {
			return nil, fmt.Errorf("there is no example %q: want one of %s", example, strings.Join(examples.Names(), ", "))
		}
		from, root = examples.Files, example+"/config"
	}
	var files []config.File
	err := fs.WalkDir(from, root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() {
			return err
		}
		text, err := fs.ReadFile(from, path)
		files = append(files, config.File{Name: path, Text: text})
		return err
	})
	if err != nil {
		return nil, err
	}
	cfg, problems := config.Options{}.Read(files)
	for _, p := range problems {
		if p.Severity == strictyaml.Error {
			return nil, &config.Error{Problems: problems}
		}
	}
	if example != "" { // hours are played in a minute, on one machine
		cfg.Pipeline.CommitInterval = spec.Duration(250 * time.Millisecond)
		cfg.Pipeline.Partitions.Panes = 2
		cfg.Receivers = nil // nobody is to be told of what is only played
	}
	return cfg, nil
}

// configDir is where the configuration is written.
func configDir(o Options) string { return filepath.Join(o.DataDir, "config") }

// writeConfig writes the configuration as it runs, so that the commands of flyball can
// be pointed at it.
func writeConfig(dir string, cfg *config.Config) error {
	text, err := config.Marshal(cfg)
	if err == nil {
		// Secrets are not written; the password of the database in this process is none.
		text = bytes.Replace(text, []byte(`dsn: '***'`), []byte("dsn: "+string(cfg.Pipeline.ClickHouse.DSN)), 1)
		err = os.MkdirAll(dir, 0o700)
	}
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "flyball.yaml"), text, 0o600)
	}
	if err != nil {
		return fmt.Errorf("cannot write configuration: %w", err)
	}
	return nil
}
