package main

import (
	"encoding/xml"
	"errors"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
)

var attribute = regexp.MustCompile(` ([\w-]+)="`)

// TestPicturesAreCurrent: what is committed is what is drawn, and can be read.
func TestPicturesAreCurrent(t *testing.T) {
	for name, draw := range pictures() {
		drawn := draw()
		for _, element := range strings.Split(drawn, "<") {
			given := map[string]bool{}
			for _, m := range attribute.FindAllStringSubmatch(element, -1) {
				if given[m[1]] {
					t.Errorf("%s: %s is given twice in <%s", name, m[1], element)
				}
				given[m[1]] = true
			}
		}
		d := xml.NewDecoder(strings.NewReader(drawn))
		for {
			if _, err := d.Token(); errors.Is(err, io.EOF) {
				break
			} else if err != nil {
				t.Errorf("%s: %v", name, err)
				break
			}
		}
		committed, err := os.ReadFile(filepath.Join("..", "..", "docs", "images", name))
		if err != nil || string(committed) != drawn {
			t.Errorf("docs/images/%s is not what is drawn (%v): go run ./internal/pictures docs/images", name, err)
		}
	}
}
