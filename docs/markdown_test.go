// Package docs_test holds what is written for users against what is true: configurations
// are linted, commands parsed, links followed, and the first steps walked.
package docs_test

import (
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
)

// root is the folder of the project, from that of this package.
const root = ".."

// page is a Markdown file. Its path is from the root, with slashes.
type page struct {
	path    string
	blocks  []block
	anchors map[string]bool
	links   []link
	// spans are the pieces of code within text.
	spans []span
}

// block is a fenced block: lang is the first word behind the fence, info the rest.
type block struct {
	page       string
	line       int
	lang, info string
	text       string
}

type link struct {
	line   int
	target string
}

type span struct {
	line int
	text string
}

var (
	fence      = regexp.MustCompile("^\\s*```(.*)$")
	heading    = regexp.MustCompile(`^#{1,6} +(.+?) *$`)
	linked     = regexp.MustCompile(`\]\(([^)\s]+)(?: "[^"]*")?\)`)
	codeSpan   = regexp.MustCompile("`([^`]+)`")
	markup     = regexp.MustCompile("[`*]|\\[([^\\]]*)\\]\\([^)]*\\)")
	notInSlugs = regexp.MustCompile(`[^\p{L}\p{N}_ -]`)
)

// slug is the anchor that a heading gets.
func slug(title string) string {
	title = markup.ReplaceAllString(title, "$1")
	return strings.ReplaceAll(notInSlugs.ReplaceAllString(strings.ToLower(title), ""), " ", "-")
}

func parse(name, text string) page {
	p := page{path: name, anchors: map[string]bool{}}
	var open *block
	indent := ""
	for i, line := range strings.Split(text, "\n") {
		if m := fence.FindStringSubmatch(line); m != nil {
			if open != nil {
				p.blocks = append(p.blocks, *open)
				open = nil
				continue
			}
			lang, info, _ := strings.Cut(strings.TrimSpace(m[1]), " ")
			open = &block{page: name, line: i + 1, lang: lang, info: strings.TrimSpace(info)}
			indent = line[:strings.Index(line, "`")]
			continue
		}
		if open != nil {
			open.text += strings.TrimPrefix(line, indent) + "\n"
			continue
		}
		if m := heading.FindStringSubmatch(line); m != nil {
			p.anchors[slug(m[1])] = true
		}
		for _, m := range codeSpan.FindAllStringSubmatch(line, -1) {
			p.spans = append(p.spans, span{i + 1, m[1]})
		}
		for _, m := range linked.FindAllStringSubmatch(codeSpan.ReplaceAllString(line, "`x`"), -1) {
			p.links = append(p.links, link{i + 1, m[1]})
		}
	}
	return p
}

// pages returns every Markdown file of the project that is written for readers.
var pages = sync.OnceValue(func() map[string]page {
	out, err := exec.Command("git", "-C", root, "ls-files", "--cached", "--others", "--exclude-standard", "*.md").Output()
	if err != nil {
		panic(err)
	}
	all := map[string]page{}
	for _, name := range strings.Fields(string(out)) {
		if strings.Contains(name, "/testdata/") || strings.Contains(name, "/vendor/") {
			continue
		}
		text, err := os.ReadFile(filepath.Join(root, filepath.FromSlash(name)))
		if os.IsNotExist(err) {
			continue
		}
		if err != nil {
			panic(err)
		}
		all[name] = parse(name, string(text))
	}
	return all
})

// goal resolves a link of a page to a path from the root and an anchor; ok is false for
// addresses elsewhere.
func goal(from, target string) (file, anchor string, ok bool) {
	if strings.Contains(target, "://") || strings.HasPrefix(target, "mailto:") {
		return "", "", false
	}
	file, anchor, _ = strings.Cut(target, "#")
	if file == "" {
		return from, anchor, true
	}
	return path.Join(path.Dir(from), file), anchor, true
}

func TestPagesAreParsed(t *testing.T) {
	p := parse("a/b.md", "# One `two`, three\n\n[x](c.md#d) `[no](link)`\n\n```yaml fragment because\n# no heading\n```\n\n  ```sh\n  flyball dev\n  ```\n")
	if !p.anchors["one-two-three"] || len(p.anchors) != 1 {
		t.Errorf("anchors %v", p.anchors)
	}
	if len(p.links) != 1 || p.links[0] != (link{3, "c.md#d"}) {
		t.Errorf("links %v", p.links)
	}
	if len(p.blocks) != 2 || p.blocks[0].lang != "yaml" || p.blocks[0].info != "fragment because" || p.blocks[1].text != "flyball dev\n" {
		t.Errorf("blocks %+v", p.blocks)
	}
	if file, anchor, ok := goal("a/b.md", "../c.md#d"); file != "c.md" || anchor != "d" || !ok {
		t.Errorf("goal %s %s %v", file, anchor, ok)
	}
}
