package apachekafka

import (
	"fmt"
	"regexp"
	"slices"
	"time"
)

// Config says how the broker is run. Start fills zero fields from [Default]; only Dir has no default.
type Config struct {
	// Dir is the folder for the broker's data, its properties file and its log. It is created when absent.
	// A folder that an earlier broker wrote is used as it is, with all its topics.
	Dir string
	// Port is the loopback port of the PLAINTEXT listener, 1 to 65535; 0 picks a free one.
	Port int
	// Partitions is the partition count of topics that do not name one. At least 1.
	Partitions int
	// HeapMiB is the JVM's heap, initial and maximum, in MiB. At least 128.
	HeapMiB int
	// JVMOptions are put before the class path, after the options that Start chooses.
	JVMOptions []string
	// Properties are added to server.properties and win over this package's defaults.
	// Those that Start itself must choose (ports, folders, node id) are refused.
	Properties map[string]string
	// Listeners are served beside the PLAINTEXT one, which is always there.
	Listeners []Listener
	// Libs is the folder with the broker's jars; empty means what Fetch returns.
	Libs string
	// ReadyTimeout bounds one start of the process, from fork to the first answered metadata request.
	ReadyTimeout time.Duration
}

// Listener is a further listener on the loopback address, for clients that must use TLS or SASL.
type Listener struct {
	// Name is the listener's name: upper case letters, digits and underscores; not PLAINTEXT or CONTROLLER.
	Name string
	// Protocol is PLAINTEXT, SSL, SASL_PLAINTEXT or SASL_SSL.
	Protocol string
	// Port is the loopback port, 1 to 65535; 0 picks a free one.
	Port int
	// AdvertisedPort is the loopback port that clients of the listener are told to connect to, where
	// something stands in front of it; 0 means the listener's own.
	AdvertisedPort int
	// Properties are the listener's own settings without the "listener.name.<name>." prefix,
	// such as "ssl.keystore.type" or "plain.sasl.jaas.config".
	Properties map[string]string
}

// Default returns the settings of a small broker that is quick to start. Dir is left empty.
func Default() Config {
	return Config{Partitions: 4, HeapMiB: 512, ReadyTimeout: 90 * time.Second}
}

var (
	listenerName = regexp.MustCompile(`^[A-Z][A-Z0-9_]*$`)
	protocols    = []string{"PLAINTEXT", "SSL", "SASL_PLAINTEXT", "SASL_SSL"}
)

// Validate reports the first setting that no broker could be started with.
func (c Config) Validate() error {
	switch {
	case c.Dir == "":
		return fmt.Errorf("cannot use broker config: dir is empty")
	case c.Port < 0 || c.Port > 65535:
		return fmt.Errorf("cannot use port %d: want 0 to 65535", c.Port)
	case c.Partitions < 1:
		return fmt.Errorf("cannot use partitions %d: want at least 1", c.Partitions)
	case c.HeapMiB < 128:
		return fmt.Errorf("cannot use heap of %d MiB: want at least 128", c.HeapMiB)
	case c.ReadyTimeout <= 0:
		return fmt.Errorf("cannot use ready timeout %s: want more than 0", c.ReadyTimeout)
	}
	for name := range c.Properties {
		if slices.Contains(ownedProperties, name) {
			return fmt.Errorf("cannot use property %q: the embedded broker sets it itself", name)
		}
	}
	return validateListeners(c.Listeners)
}

func validateListeners(listeners []Listener) error {
	seen := map[string]bool{plaintext: true, controller: true}
	for _, l := range listeners {
		switch {
		case !listenerName.MatchString(l.Name):
			return fmt.Errorf("cannot use listener %q: want upper case letters, digits and underscores", l.Name)
		case seen[l.Name]:
			return fmt.Errorf("cannot use listener %q: the name is taken", l.Name)
		case !slices.Contains(protocols, l.Protocol):
			return fmt.Errorf("cannot use listener %q: protocol %q is not one of %v", l.Name, l.Protocol, protocols)
		case l.Port < 0 || l.Port > 65535:
			return fmt.Errorf("cannot use listener %q: port %d is not in 0 to 65535", l.Name, l.Port)
		case l.AdvertisedPort < 0 || l.AdvertisedPort > 65535:
			return fmt.Errorf("cannot use listener %q: advertised port %d is not in 0 to 65535", l.Name, l.AdvertisedPort)
		}
		seen[l.Name] = true
	}
	return nil
}

// withDefaults fills the zero fields.
func (c Config) withDefaults() Config {
	d := Default()
	if c.Partitions == 0 {
		c.Partitions = d.Partitions
	}
	if c.HeapMiB == 0 {
		c.HeapMiB = d.HeapMiB
	}
	if c.ReadyTimeout == 0 {
		c.ReadyTimeout = d.ReadyTimeout
	}
	return c
}
