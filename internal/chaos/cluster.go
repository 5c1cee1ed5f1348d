package chaos

import (
	"context"
	"fmt"
	"net"
	"os"
	"path/filepath"
	"sync"

	"github.com/flyball-io/flyball/internal/crash/proxy"
	"github.com/flyball-io/flyball/internal/embedded/apachekafka"
)

// cluster is a broker and the slots for processes in front of it.
type cluster struct {
	broker *apachekafka.Broker
	slots  [slots]*slot
}

// startCluster starts the broker with one listener for each slot, whose clients
// are told to connect to the slot's proxy.
func startCluster(ctx context.Context, cfg Config) (*cluster, error) {
	c := &cluster{}
	broker := apachekafka.Config{
		Dir: filepath.Join(cfg.Dir, "kafka"), ReadyTimeout: cfg.BrokerTimeout, HeapMiB: 384,
		// A broker that is alone gives its partitions to nobody when it shuts down in
		// a controlled way. Its transaction coordinator then takes them for deleted and
		// leaves out the markers of transactions that are just being ended: their
		// offsets stay unstable for ever, and no group can read on. With replicas
		// there is always a leader, and the markers get through.
		Properties: map[string]string{"controlled.shutdown.enable": "false"},
	}
	for i := range c.slots {
		s, err := newSlot(cfg, i)
		if err != nil {
			c.close()
			return nil, err
		}
		c.slots[i] = s
		broker.Listeners = append(broker.Listeners, apachekafka.Listener{
			Name: s.listener(), Protocol: "PLAINTEXT", AdvertisedPort: s.front.Addr().(*net.TCPAddr).Port,
		})
	}
	b, err := apachekafka.Start(ctx, broker)
	if err != nil {
		c.close()
		return nil, err
	}
	c.broker = b
	for _, s := range c.slots {
		go s.serve(b.ListenerAddr(s.listener()))
	}
	return c, nil
}

// close ends all processes and the broker at once.
func (c *cluster) close() {
	for _, s := range c.slots {
		if s != nil {
			s.close()
		}
	}
	if c.broker != nil {
		c.broker.Kill()
	}
}

// slot is the place of one process: its proxy to the broker, its configuration and
// its log.
type slot struct {
	number      int
	binary, dir string
	front       net.Listener
	link        *proxy.Link

	mu      sync.Mutex
	process *process // nil when none runs
}

func newSlot(cfg Config, number int) (*slot, error) {
	front, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return nil, fmt.Errorf("cannot listen for the clients of slot %d: %w", number, err)
	}
	var d net.Dialer
	s := &slot{number: number, front: front, link: proxy.NewLink(d.DialContext, nil)}
	s.binary, s.dir = cfg.Binary, filepath.Join(cfg.Dir, fmt.Sprintf("slot-%d", number))
	return s, nil
}

func (s *slot) listener() string { return fmt.Sprintf("SLOT%d", s.number) }

// clientID starts the client ids of the slot's processes.
func (s *slot) clientID() string { return fmt.Sprintf("slot-%d", s.number) }

// serve passes on connections to the broker. While that does not listen, it
// refuses them.
func (s *slot) serve(broker string) {
	for {
		conn, err := s.front.Accept()
		if err != nil {
			return // closed
		}
		// What cannot be passed on has been closed, which is all that a client
		// would be told.
		go func() { _ = s.link.Serve(context.Background(), conn, "tcp", broker) }()
	}
}

// configure writes the configuration of the slot's processes.
func (s *slot) configure(text string) error {
	if err := os.MkdirAll(s.dir, 0o755); err != nil {
		return fmt.Errorf("cannot make the folder of slot %d: %w", s.number, err)
	}
	return os.WriteFile(filepath.Join(s.dir, "flyball.yaml"), []byte(text), 0o600)
}

// start starts a process in an empty slot.
func (s *slot) start() error {
	p, err := startProcess(s.binary, s.dir)
	if err != nil {
		return err
	}
	s.mu.Lock()
	defer s.mu.Unlock()
	s.process = p
	return nil
}

// current returns the process that runs, nil if there is none.
func (s *slot) current() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.process
}

// take returns the process that runs, and leaves the slot empty.
func (s *slot) take() *process {
	s.mu.Lock()
	defer s.mu.Unlock()
	p := s.process
	s.process = nil
	return p
}

func (s *slot) close() {
	s.front.Close()
	if p := s.take(); p != nil {
		p.kill()
	}
	s.link.Cut()
	s.link.Drop()
}
