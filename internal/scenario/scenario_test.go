package scenario

import (
	"flag"
	"path/filepath"
	"testing"
)

var update = flag.Bool("update", false, "replace the outputs in testdata that differ")

// TestScenarios runs every scenario of testdata, each also in all other ways.
func TestScenarios(t *testing.T) {
	files, err := Find([]string{"testdata"})
	if err != nil {
		t.Fatal(err)
	}
	for _, path := range files {
		t.Run(filepath.Base(path), func(t *testing.T) {
			t.Parallel()
			s, err := Load(path)
			if err != nil {
				t.Fatal(err)
			}
			rep, err := s.Run(Options{Update: *update, Once: once || testing.Short()})
			if err != nil {
				t.Fatal(err)
			}
			for _, f := range rep.Failures {
				t.Errorf("%s:%d: %s", path, f.Line, f.Text)
			}
		})
	}
}
