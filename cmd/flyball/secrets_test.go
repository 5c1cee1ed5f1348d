package main

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
)

// No command shows a secret, whatever is wrong with it or around it: not as text,
// not as JSON, not in an error and not in a log.
func TestSecretsAreNotShown(t *testing.T) {
	const secret = "hunter2"
	t.Setenv("TEST_SECRET", secret)
	file := filepath.Join(t.TempDir(), "secret")
	if err := os.WriteFile(file, []byte(secret+"\n"), 0o600); err != nil {
		t.Fatal(err)
	}
	for name, spec := range map[string]string{
		"a DSN of another scheme":   `clickhouse: {dsn: "mysql://u:${env:TEST_SECRET}@db/x"}`,
		"a DSN that is no URL":      `clickhouse: {dsn: "clickhouse://u:${env:TEST_SECRET}@db:port/x"}`,
		"only the secret":           `clickhouse: {dsn: "${env:TEST_SECRET}"}`,
		"the secret in clear":       `clickhouse: {dsn: "clickhouse://u:hunter2@db:port/x"}`,
		"an escape that is none":    `clickhouse: {dsn: "http://u:${file:` + file + `}%zz@db/x"}`,
		"certificates without TLS":  `clickhouse: {dsn: "http://u:${env:TEST_SECRET}@db/x", tls: {caFile: x}}`,
		"a setting of no such kind": `clickhouse: {dsn: "http://u:${env:TEST_SECRET}@127.0.0.1:1/x?dial_timeout=soon"}`,
		"a password and no user":    `kafka: {sasl: {mechanism: SCRAM-SHA-512, password: "${env:TEST_SECRET}"}}`,
		"a mechanism of no name":    `kafka: {sasl: {mechanism: "x", username: u, password: "${file:` + file + `}"}}`,
		"PLAIN in the clear":        `kafka: {brokers: ["127.0.0.1:1"], sasl: {mechanism: PLAIN, username: u, password: "${env:TEST_SECRET}"}, tls: {caFile: /nowhere}}`,
		"a list for a secret":       `kafka: {sasl: {mechanism: PLAIN, username: u, password: ["${env:TEST_SECRET}"]}}`,
		"a field misspelt":          `kafka: {sasl: {mechanism: PLAIN, username: u, passwort: "${env:TEST_SECRET}"}}`,
		"no secret but one is near": `kafka: {brokers: ["127.0.0.1:1"]}, clickhouse: {dsn: "http://u:${env:TEST_SECRET}@127.0.0.1:1/x"}, nonsense: 1`,
	} {
		dir := t.TempDir()
		text := "apiVersion: flyball.dev/v1\nkind: Pipeline\nmetadata: {name: p}\nspec: {" + spec + "}\n"
		if err := os.WriteFile(filepath.Join(dir, "p.yaml"), []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		said := ""
		for _, args := range [][]string{
			{"lint", dir}, {"lint", "-o", "json", dir}, {"run", "--config", dir, "--log-level", "debug", "--roles", "record"},
			{"slo", "status", "--config", dir}, {"topics", "check", "--config", dir},
		} {
			out, talk, code := flyballCommand(t, "", args...)
			if strings.Contains(out+talk, secret) {
				t.Errorf("%s: %v shows the secret:\n%s%s", name, args, out, talk)
			}
			if said += out + talk; code == exitOK && args[0] != "lint" {
				t.Errorf("%s: %v ended well", name, args)
			}
		}
		if said == "" {
			t.Errorf("%s: nothing was said", name)
		}
	}
}
