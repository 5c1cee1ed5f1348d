package main

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/twmb/franz-go/pkg/kadm"
	"github.com/twmb/franz-go/pkg/kfake"
	"github.com/twmb/franz-go/pkg/kgo"
)

func TestTopics(t *testing.T) {
	cluster, err := kfake.NewCluster(kfake.NumBrokers(1))
	if err != nil {
		t.Fatal(err)
	}
	defer cluster.Close()
	dir := t.TempDir()
	spec := fmt.Sprintf("apiVersion: flyball.dev/v1\nkind: Pipeline\nmetadata: {name: p}\nspec: {kafka: {brokers: [%q]}, partitions: {panes: 3}}\n", cluster.ListenAddrs()[0])
	if err := os.WriteFile(filepath.Join(dir, "p.yaml"), []byte(spec), 0o644); err != nil {
		t.Fatal(err)
	}
	f := func(code int, want string, args ...string) {
		t.Helper()
		out, talk, got := flyballCommand(t, "", append(append([]string{"topics"}, args...), "--config", dir)...)
		if got != code || !strings.Contains(out+talk, want) {
			t.Errorf("%v: exit %d, want %d with %q:\n%s%s", args, got, code, want, out, talk)
		}
	}
	f(exitError, "14 of 14 topics cannot be used", "check")
	f(exitOK, "", "create", "--replication", "1", "--min-isr", "1")
	f(exitOK, "warning: it has one replica", "check")
	f(exitOK, `{"name":"flyball.panes","exists":true,"partitions":3,"replicas":1,"warnings"`, "check", "-o", "json")
	f(exitOK, "", "create") // again changes nothing

	client, err := kgo.NewClient(kgo.SeedBrokers(cluster.ListenAddrs()...))
	if err != nil {
		t.Fatal(err)
	}
	defer client.Close()
	deleted := "delete"
	_, err = kadm.NewClient(client).AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "cleanup.policy", Value: &deleted}}, "flyball.state")
	if err != nil {
		t.Fatal(err)
	}
	f(exitError, `want "compact", or what is remembered is lost`, "check")
	f(exitError, `want "compact", or what is remembered is lost`, "create")
	// A short retention is a warning.
	short := "60000"
	_, err = kadm.NewClient(client).AlterTopicConfigs(t.Context(), []kadm.AlterConfig{{Op: kadm.SetConfig, Name: "retention.ms", Value: &short}}, "flyball.slo")
	if err != nil {
		t.Fatal(err)
	}
	f(exitError, "retention.ms is 60000", "check")
}
