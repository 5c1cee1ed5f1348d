package clustermigrate

import (
	"bytes"
	"fmt"
	"strings"
	"testing"
)

func TestCommand(t *testing.T) {
	f := func(want string, args ...string) {
		t.Helper()
		var out bytes.Buffer
		c := Command(func(err error) error { return fmt.Errorf("usage: %w", err) })
		c.SetOut(&out)
		c.SetErr(&out)
		c.SetArgs(args)
		text := ""
		if err := c.Execute(); err != nil {
			text = err.Error()
		}
		if text += out.String(); !strings.Contains(text, want) {
			t.Errorf("%q gives %.300s, want %q", args, text, want)
		}
	}
	f("CREATE DATABASE IF NOT EXISTS `flyball` ON CLUSTER 'prod';\n", "--cluster", "prod", "--dry-run")
	f("INSERT INTO `x`.schema_migrations (version, name, checksum) VALUES (22, '022_examples.sql', '", "--cluster", "prod", "--dry-run", "--database", "x")
	f("usage: say which cluster", "--dry-run")
	f("usage: say which cluster", "--cluster", "prod")
}
