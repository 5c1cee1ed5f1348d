package docs_test

import (
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var metricName = regexp.MustCompile(`\bflyball_[a-z][a-z_]*[a-z]\b`)

// TestMetrics: a metric that a page says to look at is one that the program has.
func TestMetrics(t *testing.T) {
	out, err := exec.Command("git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard", "*.go").Output()
	if err != nil {
		t.Fatal(err)
	}
	var code strings.Builder
	for _, name := range strings.Fields(string(out)) {
		if strings.HasSuffix(name, "_test.go") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if err != nil && !os.IsNotExist(err) {
			t.Fatal(err)
		}
		code.Write(text)
	}
	all := code.String()
	// Some are made by a function that puts flyball_ before the name. A histogram shows itself
	// under three names.
	exists := func(name string) bool {
		for _, part := range []string{"_bucket", "_sum", "_count"} {
			name = strings.TrimSuffix(name, part)
		}
		return strings.Contains(all, `"`+name+`"`) || strings.Contains(all, `"`+strings.TrimPrefix(name, "flyball_")+`"`)
	}
	seen := 0
	for _, p := range pages() {
		if !strings.HasPrefix(p.path, "docs/") {
			continue
		}
		text := ""
		for _, s := range p.spans {
			text += s.text + "\n"
		}
		for _, b := range p.blocks {
			text += b.text
		}
		for _, name := range metricName.FindAllString(text, -1) {
			seen++
			if !exists(name) {
				t.Errorf("%s: nothing shows %s", p.path, name)
			}
		}
	}
	if seen < 30 {
		t.Errorf("only %d names of metrics were found", seen)
	}
}
