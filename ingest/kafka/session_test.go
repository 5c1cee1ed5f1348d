package kafka

import (
	"context"
	"fmt"
	"maps"
	"os"
	"slices"
	"testing"
	"time"

	"github.com/twmb/franz-go/pkg/kgo"
	"go.uber.org/goleak"

	embedded "github.com/flyball-io/flyball/internal/embedded/kafka"
)

func TestMain(m *testing.M) {
	code := m.Run()
	if code == 0 {
		if err := goleak.Find(); err != nil {
			fmt.Fprintln(os.Stderr, err)
			code = 1
		}
	}
	os.Exit(code)
}

const topic = "input"

func start(t *testing.T, partitions int) *embedded.Server {
	t.Helper()
	cfg := embedded.Default()
	cfg.Topics = []embedded.Topic{{Name: topic, Partitions: partitions}}
	s, err := embedded.Start(t.Context(), cfg)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		if err := s.Close(); err != nil {
			t.Error(err)
		}
	})
	return s
}

func join(t *testing.T, s *embedded.Server, n int, together bool) *Session {
	t.Helper()
	sess, err := Join(Config{
		Brokers: s.Addrs(), ClientID: "test", Group: "g", Topics: []string{topic},
		TransactionalID: fmt.Sprintf("%s-%d", t.Name(), n), TransactionTimeout: 15 * time.Second, Together: together,
		Options: []kgo.Opt{kgo.HeartbeatInterval(50 * time.Millisecond)},
	})
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(sess.Close)
	return sess
}

// poll keeps the sessions alive until cond holds.
func poll(t *testing.T, what string, cond func() bool, sessions ...*Session) {
	t.Helper()
	deadline := time.Now().Add(20 * time.Second)
	for !cond() {
		if time.Now().After(deadline) {
			var owned []string
			for _, s := range sessions {
				owned = append(owned, fmt.Sprint(slices.Collect(maps.Keys(s.Positions()))))
			}
			t.Fatalf("%s: not in time; they own %v", what, owned)
		}
		for _, s := range sessions {
			ctx, cancel := context.WithTimeout(t.Context(), 10*time.Millisecond)
			s.PollRecords(ctx, 100)
			cancel()
		}
	}
}

// A group that is rebalanced again and again while no transaction ends must leave
// nobody with a partition that somebody else has.
func TestEveryRevocationIsSeen(t *testing.T) {
	f := func(together bool) {
		t.Helper()
		const partitions = 12
		s := start(t, partitions)
		var sessions []*Session
		changed := map[*Session]map[Partition]bool{} // as the changes tell it
		follow := func() {
			for _, sess := range sessions {
				c := sess.TakeChanges()
				for _, p := range c.Revoked {
					delete(changed[sess], p)
				}
				for _, a := range c.Assigned {
					changed[sess][a.Partition] = true
				}
			}
		}
		for n := range 4 {
			sess := join(t, s, n, together)
			sessions = append(sessions, sess)
			changed[sess] = map[Partition]bool{}
			poll(t, fmt.Sprintf("%d members share %d partitions", n+1, partitions), func() bool {
				follow()
				total, least := 0, partitions
				for _, sess := range sessions {
					owned := len(sess.Positions())
					total, least = total+owned, min(least, owned)
				}
				return total == partitions && least == partitions/(n+1)
			}, sessions...)
		}
		follow()
		for i, sess := range sessions {
			positions := sess.Positions()
			if len(positions) != len(changed[sess]) {
				t.Errorf("member %d owns %v and was told of %v", i, positions, changed[sess])
			}
			for p := range positions {
				if !changed[sess][p] {
					t.Errorf("member %d was not told of %v", i, p)
				}
			}
		}
	}
	f(false)
	f(true)
}
