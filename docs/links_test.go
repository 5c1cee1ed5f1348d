package docs_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// TestLinks: what is linked is there, with the heading that is named.
func TestLinks(t *testing.T) {
	for _, p := range pages() {
		for _, l := range p.links {
			file, anchor, ok := goal(p.path, l.target)
			if !ok {
				continue
			}
			if _, err := os.Stat(filepath.Join(root, filepath.FromSlash(file))); err != nil {
				t.Errorf("%s:%d: nothing is at %s", p.path, l.line, l.target)
				continue
			}
			if to, isPage := pages()[file]; isPage && anchor != "" && !to.anchors[anchor] {
				t.Errorf("%s:%d: %s has no heading #%s", p.path, l.line, file, anchor)
			}
		}
	}
}

// TestTwoClicks: every page is two clicks from the README at most.
func TestTwoClicks(t *testing.T) {
	clicks := map[string]int{"README.md": 0}
	for queue := []string{"README.md"}; len(queue) > 0; queue = queue[1:] {
		for _, l := range pages()[queue[0]].links {
			file, _, ok := goal(queue[0], l.target)
			if _, seen := clicks[file]; ok && !seen {
				clicks[file] = clicks[queue[0]] + 1
				queue = append(queue, file)
			}
		}
	}
	for name := range pages() {
		if n, reached := clicks[name]; !reached || n > 2 {
			t.Errorf("%s is not two clicks from README.md (%d): name it in docs/README.md", name, n)
		}
	}
}

// TestFeaturePagesEndInMistakes: what others have stumbled over is where a reader looks.
func TestFeaturePagesEndInMistakes(t *testing.T) {
	without := map[string]bool{"docs/README.md": true, "docs/DESIGN.md": true, "docs/quickstart.md": true, "docs/comparison.md": true,
		"docs/troubleshooting.md": true, "docs/cli.md": true, "docs/metrics.md": true}
	for name, p := range pages() {
		if strings.HasPrefix(name, "docs/") && !strings.HasPrefix(name, "docs/reference/") && !without[name] && !p.anchors["common-mistakes"] {
			t.Errorf("%s has no section Common mistakes", name)
		}
	}
}
