// Package cluster rewrites the migrations of ClickHouse for a cluster of shards and
// replicas.
//
// What is large is spread over the shards: of windows, bands and the status of SLOs all
// rows of a series are on one shard, in a replicated table NAME_local, and NAME is a
// distributed table over those. What is small, findings, decisions and all that hangs
// together with them, is whole on every node, in one replicated table, so that views may
// join it with anything. Views are the same as on one server, on every node.
package cluster

import (
	"fmt"
	"regexp"
	"strings"
)

// sharded are the tables that are spread over shards, with what decides where a row goes:
// the rows that replace each other, or are joined, go to the same.
var sharded = map[string]string{
	"windows":      "cityHash64(indicator, entity, labels)",
	"bands":        "cityHash64(indicator, entity, labels)",
	"slo_status":   "cityHash64(slo, entity, labels)",
	"slo_hourly":   "cityHash64(slo, entity, labels)",
	"dead_letters": "cityHash64(partition, offset)",
}

// local is what the names of the tables on shards end in.
const local = "_local"

// Migrations holds the marks of what was applied.
const Migrations = "schema_migrations"

// Target is where migrations are to be applied.
type Target struct {
	// Cluster as the servers' remote_servers name it, and Database.
	Cluster, Database string
}

// Prepare returns the statements before the first migration: the database, and the table
// that says which migrations were applied.
func (t Target) Prepare() []string {
	return []string{
		"CREATE DATABASE IF NOT EXISTS " + quote(t.Database) + t.on(),
		"CREATE TABLE IF NOT EXISTS " + t.name(Migrations) + t.on() + `
(
    version    UInt32,
    name       String,
    checksum   String,
    applied_at DateTime64(3, 'UTC') DEFAULT now64(3)
)
ENGINE = ` + t.engine(Migrations, "ReplacingMergeTree", "") + " ORDER BY version",
	}
}

// Applied returns the statement that notes that a migration was applied.
func (t Target) Applied(version uint32, name, checksum string) string {
	return fmt.Sprintf("INSERT INTO %s (version, name, checksum) VALUES (%d, %s, %s)", t.name(Migrations), version, text(name), text(checksum))
}

// Statements returns those of a migration, as Script gives it for the database, rewritten. It
// fails on a statement of a kind that it does not know.
func (t Target) Statements(sql string) ([]string, error) {
	var out []string
	for s := range strings.SplitSeq(sql, ";\n") {
		s = strings.TrimSpace(comments.ReplaceAllString(s, ""))
		if s == "" {
			continue
		}
		list, err := t.rewrite(s)
		if err != nil {
			return nil, err
		}
		out = append(out, list...)
	}
	return out, nil
}

var (
	comments = regexp.MustCompile(`(?m)^--.*\n?`)
	codec    = regexp.MustCompile(` CODEC\((?:[^()]|\([^()]*\))*\)`)
	engine   = regexp.MustCompile(`(?m)^ENGINE = ([A-Za-z]*MergeTree)(?:\(([^()]*)\))?`)

	// The beginning of a statement, with the name of what it is about.
	createTable = regexp.MustCompile("^CREATE TABLE IF NOT EXISTS (`(?:[^`\\\\]|\\\\.)+`)\\.(\\w+)\n\\(")
	createView  = regexp.MustCompile("^CREATE (?:OR REPLACE VIEW|VIEW IF NOT EXISTS) (`(?:[^`\\\\]|\\\\.)+`)\\.(\\w+)")
	fillView    = regexp.MustCompile("^CREATE MATERIALIZED VIEW IF NOT EXISTS (`(?:[^`\\\\]|\\\\.)+`)\\.(\\w+) TO (`(?:[^`\\\\]|\\\\.)+`)\\.(\\w+)")
	dropView    = regexp.MustCompile("^DROP VIEW IF EXISTS (`(?:[^`\\\\]|\\\\.)+`)\\.(\\w+)$")
	alterTable  = regexp.MustCompile("^ALTER TABLE (`(?:[^`\\\\]|\\\\.)+`)\\.(\\w+)\n")
	insert      = regexp.MustCompile("^INSERT INTO (`(?:[^`\\\\]|\\\\.)+`)\\.(\\w+)\n")
)

func (t Target) rewrite(s string) ([]string, error) {
	if m := createTable.FindStringSubmatchIndex(s); m != nil {
		return t.table(s, s[m[4]:m[5]], m[5])
	}
	if m := fillView.FindStringSubmatchIndex(s); m != nil {
		from := s[m[9]:]
		for name := range sharded { // what a shard takes in stays on it
			from = regexp.MustCompile(`\b`+name+`\b`).ReplaceAllString(from, name+local)
		}
		to := s[m[8]:m[9]]
		if _, ok := sharded[to]; ok {
			to += local
		}
		return []string{s[:m[5]] + t.on() + " TO " + t.name(to) + from}, nil
	}
	if m := createView.FindStringSubmatchIndex(s); m != nil {
		return []string{s[:m[5]] + t.on() + s[m[5]:]}, nil
	}
	if dropView.MatchString(s) {
		return []string{s + t.on() + " SYNC"}, nil
	}
	if m := alterTable.FindStringSubmatchIndex(s); m != nil {
		name, change := s[m[4]:m[5]], s[m[5]:]
		if _, ok := sharded[name]; !ok {
			return []string{s[:m[5]] + t.on() + change}, nil
		}
		return []string{
			"ALTER TABLE " + t.name(name+local) + t.on() + change,
			"ALTER TABLE " + t.name(name) + t.on() + codec.ReplaceAllString(change, ""), // it stores nothing
		}, nil
	}
	if insert.MatchString(s) {
		return []string{s}, nil // through the distributed tables
	}
	return nil, fmt.Errorf("cannot rewrite for a cluster: a statement of another kind: %.80s", s)
}

// table rewrites the creation of a table, whose name ends at.
func (t Target) table(s, name string, at int) ([]string, error) {
	m := engine.FindStringSubmatchIndex(s)
	if m == nil {
		return nil, fmt.Errorf("cannot rewrite table %q for a cluster: its engine is not of the MergeTree family", name)
	}
	args := ""
	if m[4] >= 0 {
		args = s[m[4]:m[5]]
	}
	key, spread := sharded[name]
	stored := name
	if spread {
		stored += local
	}
	out := []string{"CREATE TABLE IF NOT EXISTS " + t.name(stored) + t.on() + s[at:m[0]] + "ENGINE = " + t.engine(stored, s[m[2]:m[3]], args) + s[m[1]:]}
	if spread {
		out = append(out, fmt.Sprintf("CREATE TABLE IF NOT EXISTS %s%s AS %s\nENGINE = Distributed(%s, %s, %s, %s)",
			t.name(name), t.on(), t.name(stored), text(t.Cluster), text(t.Database), text(stored), key))
	}
	return out, nil
}

// engine returns the replicated engine of a table: among the replicas of a shard, or, of
// a table that is whole everywhere, among all nodes. {shard} and {replica} are macros of
// the servers.
func (t Target) engine(table, family, args string) string {
	path, replica := "/clickhouse/tables/{shard}/", "{replica}"
	if !strings.HasSuffix(table, local) {
		path, replica = "/clickhouse/tables/all/", "{shard}-{replica}"
	}
	if args != "" {
		args = ", " + args
	}
	return fmt.Sprintf("Replicated%s(%s, %s%s)", family, text(path+t.Database+"/"+table), text(replica), args)
}

func (t Target) on() string { return " ON CLUSTER " + text(t.Cluster) }

func (t Target) name(table string) string { return quote(t.Database) + "." + table }

func quote(name string) string {
	return "`" + strings.NewReplacer(`\`, `\\`, "`", "\\`").Replace(name) + "`"
}

func text(s string) string {
	return "'" + strings.NewReplacer(`\`, `\\`, `'`, `\'`).Replace(s) + "'"
}
