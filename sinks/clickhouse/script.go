package clickhouse

import "strings"

// Script returns what a migration does in a database, as statements that can be run one
// after another.
func (m Migration) Script(database string) string {
	var b strings.Builder
	for _, s := range m.statements(database) {
		b.WriteString(strings.TrimSuffix(strings.TrimSpace(s), ";") + ";\n")
	}
	return b.String()
}
