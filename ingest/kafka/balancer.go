package kafka

import "github.com/twmb/franz-go/pkg/kgo"

// watchedBalancer is a balancer that tells what the member was assigned.
type watchedBalancer struct {
	kgo.GroupBalancer
	synced func(map[string][]int32)
}

// ParseSyncAssignment implements kgo.GroupBalancer.
func (b watchedBalancer) ParseSyncAssignment(assignment []byte) (map[string][]int32, error) {
	assigned, err := b.GroupBalancer.ParseSyncAssignment(assignment)
	if err == nil {
		b.synced(assigned)
	}
	return assigned, err
}
