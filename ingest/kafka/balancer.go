package kafka

import (
	"github.com/twmb/franz-go/pkg/kgo"
	"github.com/twmb/franz-go/pkg/kmsg"
)

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

// soleBalancer gives everything to one member, and the others stand by.
type soleBalancer struct{ kgo.GroupBalancer }

// ProtocolName implements kgo.GroupBalancer.
func (soleBalancer) ProtocolName() string { return "flyball-sole" }

// MemberBalancer implements kgo.GroupBalancer.
func (b soleBalancer) MemberBalancer(members []kmsg.JoinGroupResponseMember) (kgo.GroupMemberBalancer, map[string]struct{}, error) {
	c, err := kgo.NewConsumerBalancer(b, members)
	return c, c.MemberTopics(), err
}

// Balance implements kgo.ConsumerBalancerBalance.
func (soleBalancer) Balance(c *kgo.ConsumerBalancer, topics map[string]int32) kgo.IntoSyncAssignment {
	owner := &c.Members()[0]
	for i := range c.Members() {
		if m := &c.Members()[i]; m.MemberID < owner.MemberID {
			owner = m
		}
	}
	plan := c.NewPlan()
	for topic, partitions := range topics {
		for p := range partitions {
			plan.AddPartition(owner, topic, p)
		}
	}
	return plan
}
