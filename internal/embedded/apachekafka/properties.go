package apachekafka

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
)

const (
	plaintext  = "PLAINTEXT"
	controller = "CONTROLLER"
	loopback   = "127.0.0.1"
)

// ownedProperties follow from the folder and the ports of the running broker.
var ownedProperties = []string{
	"process.roles", "node.id", "controller.quorum.voters", "controller.listener.names",
	"listeners", "advertised.listeners", "listener.security.protocol.map",
	"inter.broker.listener.name", "log.dirs",
}

// endpoint is one listener with the port it got.
type endpoint struct {
	name, protocol string
	port           int
	advertised     int // 0 for port
	properties     map[string]string
}

func (e endpoint) addr() string { return fmt.Sprintf("%s:%d", loopback, e.port) }

// serverProperties returns the settings of one node that is broker and controller at once.
// The first endpoint is PLAINTEXT, the second the controller's.
func serverProperties(cfg Config, dataDir string, endpoints []endpoint) map[string]string {
	p := singleNodeDefaults()
	p["num.partitions"] = strconv.Itoa(cfg.Partitions)
	maps.Copy(p, cfg.Properties)

	var listeners, advertised, protocolMap []string
	for _, e := range endpoints {
		listeners = append(listeners, e.name+"://"+e.addr())
		protocolMap = append(protocolMap, e.name+":"+e.protocol)
		if e.name != controller {
			advertised = append(advertised, fmt.Sprintf("%s://%s:%d", e.name, loopback, cmp.Or(e.advertised, e.port)))
		}
		for name, value := range e.properties {
			p["listener.name."+strings.ToLower(e.name)+"."+name] = value
		}
	}
	p["process.roles"] = "broker,controller"
	p["node.id"] = "1"
	p["controller.quorum.voters"] = "1@" + endpoints[1].addr()
	p["controller.listener.names"] = controller
	p["listeners"] = strings.Join(listeners, ",")
	p["advertised.listeners"] = strings.Join(advertised, ",")
	p["listener.security.protocol.map"] = strings.Join(protocolMap, ",")
	p["inter.broker.listener.name"] = plaintext
	p["log.dirs"] = dataDir
	return p
}

// singleNodeDefaults are the settings that let transactions and groups work on one node, and start fast.
func singleNodeDefaults() map[string]string {
	return map[string]string{
		"default.replication.factor": "1",
		"min.insync.replicas":        "1",

		"offsets.topic.replication.factor":                 "1",
		"offsets.topic.num.partitions":                     "4",
		"transaction.state.log.replication.factor":         "1",
		"transaction.state.log.min.isr":                    "1",
		"transaction.state.log.num.partitions":             "4",
		"share.coordinator.state.topic.replication.factor": "1",
		"share.coordinator.state.topic.min.isr":            "1",
		"share.coordinator.state.topic.num.partitions":     "1",

		"group.initial.rebalance.delay.ms": "0",
		// Lets tests of failing group members use sessions shorter than Kafka's six seconds.
		"group.min.session.timeout.ms": "500",
		// After SIGKILL the controller refuses the broker's new incarnation until the old one's session ends.
		"broker.session.timeout.ms":    "3000",
		"broker.heartbeat.interval.ms": "500",
		// How often timed-out transactions are looked for; Kafka's ten seconds would double most timeouts in tests.
		"transaction.abort.timed.out.transaction.cleanup.interval.ms": "1000",
		// The cleaner takes this from the heap at once; Kafka's 128 MiB would be a quarter of ours.
		"log.cleaner.dedupe.buffer.size": "16777216",
	}
}

// renderProperties writes settings in the format of java.util.Properties, sorted by name.
func renderProperties(settings map[string]string) []byte {
	var b strings.Builder
	for _, name := range slices.Sorted(maps.Keys(settings)) {
		escapeProperty(&b, name, true)
		b.WriteByte('=')
		escapeProperty(&b, settings[name], false)
		b.WriteByte('\n')
	}
	return []byte(b.String())
}

// escapeProperty writes text so that java.util.Properties.load reads it back unchanged
// (the escapes are those of its documentation; characters beyond Latin-1 become UTF-16 escapes).
func escapeProperty(b *strings.Builder, text string, key bool) {
	for i, r := range text {
		switch {
		case r == '\\':
			b.WriteString(`\\`)
		case r == '\n':
			b.WriteString(`\n`)
		case r == '\r':
			b.WriteString(`\r`)
		case r == '\t':
			b.WriteString(`\t`)
		case r == '\f':
			b.WriteString(`\f`)
		case r == ' ' && (key || i == 0):
			b.WriteString(`\ `)
		case key && strings.ContainsRune("=:#!", r):
			b.WriteByte('\\')
			b.WriteRune(r)
		case r >= 0x20 && r < 0x7f:
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(b, `\u%04x\u%04x`, 0xd800+(r>>10), 0xdc00+(r&0x3ff))
		default:
			fmt.Fprintf(b, `\u%04x`, r)
		}
	}
}
