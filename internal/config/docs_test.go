package config

import (
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

// TestFormatsAreDescribed: every format has a page, in the index, whose documents make
// a configuration without a fault.
func TestFormatsAreDescribed(t *testing.T) {
	dir := filepath.Join("..", "..", "docs", "formats")
	index, err := os.ReadFile(filepath.Join(dir, "README.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```")
	for name := range formats {
		page, err := os.ReadFile(filepath.Join(dir, name+".md"))
		if err != nil {
			t.Error(err)
			continue
		}
		text := string(page)
		if !strings.Contains(string(index), "["+name+"]("+name+".md)") {
			t.Errorf("docs/formats/README.md does not name %s", name)
		}
		if !strings.Contains(text, "## Common mistakes") || !strings.Contains(text, "## Dead letters") {
			t.Errorf("%s.md says nothing of mistakes or dead letters", name)
		}
		var docs []string
		for _, m := range blocks.FindAllStringSubmatch(text, -1) {
			docs = append(docs, m[1])
		}
		t.Setenv("REGISTRY_PASSWORD", "secret")
		files := t.TempDir()
		write(t, files, map[string]string{"page.yaml": strings.Join(docs, "---\n")})
		c, err := Load(files)
		if err != nil {
			t.Errorf("%s.md: %v", name, err)
			continue
		}
		if len(c.Sources) == 0 || c.Sources[0].Format != name || len(c.Indicators) == 0 {
			t.Errorf("%s.md has no example of it", name)
		}
	}
}
