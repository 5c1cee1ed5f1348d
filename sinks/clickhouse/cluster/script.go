package cluster

import (
	"fmt"
	"strings"

	"github.com/flyball-io/flyball/sinks/clickhouse"
)

// Script returns what is to be run once, on any node, for the cluster to have these
// migrations: one statement after another, each ended by a semicolon.
func (t Target) Script(pending []clickhouse.Migration) (string, error) {
	var b strings.Builder
	write := func(list ...string) {
		for _, s := range list {
			b.WriteString(s + ";\n")
		}
	}
	b.WriteString("-- for cluster " + t.Cluster + "\n")
	write(t.Prepare()...)
	for _, m := range pending {
		list, err := t.Statements(m.Script(t.Database))
		if err != nil {
			return "", fmt.Errorf("cannot rewrite migration %q: %w", m.Name, err)
		}
		fmt.Fprintf(&b, "-- %s\n", m.Name)
		write(list...)
		write(t.Applied(m.Version, m.Name, m.Checksum))
	}
	return b.String(), nil
}
