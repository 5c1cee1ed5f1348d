// Package figures writes what benchmarks measured where others read it.
package figures

import (
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
)

// Write writes v as JSON to a file, and makes its folder.
func Write(path string, v any) error {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		return fmt.Errorf("cannot encode figures: %w", err)
	}
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("cannot make folder of figures %q: %w", path, err)
	}
	if err := os.WriteFile(path, append(text, '\n'), 0o644); err != nil {
		return fmt.Errorf("cannot write figures %q: %w", path, err)
	}
	return nil
}
