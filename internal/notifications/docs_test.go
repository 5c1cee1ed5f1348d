package notifications_test

import (
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/flyball-io/flyball/internal/config"
)

// TestManual lints the configuration of docs/notifications.md.
func TestManual(t *testing.T) {
	text, err := os.ReadFile(filepath.Join("..", "..", "docs", "notifications.md"))
	if err != nil {
		t.Fatal(err)
	}
	blocks := regexp.MustCompile("(?s)```yaml\n(.*?)```").FindAllSubmatch(text, -1)
	if len(blocks) == 0 {
		t.Fatal("docs/notifications.md has no configuration")
	}
	o := config.Options{
		LookupEnv: func(string) (string, bool) { return "0123456789abcdef0123456789abcdef", true },
		ReadFile:  func(string) ([]byte, error) { return []byte("https://hooks.slack.example/T/B/x"), nil },
	}
	for _, b := range blocks {
		c, problems := o.Read([]config.File{{Name: "notifications.md", Text: b[1]}})
		for _, p := range problems {
			t.Errorf("%s", p.String())
		}
		if len(c.Receivers) == 0 {
			t.Error("an example has no receiver")
		}
	}
}
