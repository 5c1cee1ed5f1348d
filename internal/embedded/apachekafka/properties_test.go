package apachekafka

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"pgregory.net/rapid"
)

func TestRenderProperties(t *testing.T) {
	f := func(name, value, want string) {
		t.Helper()
		if got := string(renderProperties(map[string]string{name: value})); got != want+"\n" {
			t.Errorf("unexpected line for %q=%q: got %q; want %q", name, value, got, want)
		}
	}
	f("log.dirs", "/var/lib/kafka logs", "log.dirs=/var/lib/kafka logs")
	f("a", "", "a=")
	f("a", " leading", `a=\ leading`)
	f("a", "=:#! stay in values", "a==:#! stay in values")
	f("a b=c:d", "x", `a\ b\=c\:d=x`)
	f("ssl.keystore.key", "-----BEGIN\r\nKEY\n", `ssl.keystore.key=-----BEGIN\r\nKEY\n`)
	f("path", `C:\kafka`+"\t\f", `path=C:\\kafka\t\f`)
	f("greeting", "grüß 😀", `greeting=gr\u00fc\u00df \ud83d\ude00`)
}

func TestRenderPropertiesIsSorted(t *testing.T) {
	got := string(renderProperties(map[string]string{"b": "2", "a": "1", "c": "3"}))
	if got != "a=1\nb=2\nc=3\n" {
		t.Fatalf("unexpected order: %q", got)
	}
}

// Whatever a setting holds, it stays on one line of ASCII: a value can never become a second setting.
func TestRenderPropertiesStaysOnItsLine(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		value := rapid.String().Draw(t, "value")
		got := string(renderProperties(map[string]string{"name": value}))
		if strings.Count(got, "\n") != 1 || !strings.HasSuffix(got, "\n") {
			t.Fatalf("value %q is spread over lines: %q", value, got)
		}
		for i := range len(got) - 1 {
			if got[i] < 0x20 || got[i] > 0x7e {
				t.Fatalf("value %q is rendered with byte %#x: %q", value, got[i], got)
			}
		}
	})
}

func TestServerProperties(t *testing.T) {
	cfg := Config{
		Partitions: 7,
		Properties: map[string]string{"offsets.topic.num.partitions": "9", "log.segment.bytes": "1000000"},
	}
	got := serverProperties(cfg, "/data", []endpoint{
		{name: "PLAINTEXT", protocol: "PLAINTEXT", port: 1001},
		{name: "CONTROLLER", protocol: "PLAINTEXT", port: 1002},
		{name: "SECURE", protocol: "SASL_SSL", port: 1003, advertised: 1004, properties: map[string]string{"ssl.keystore.type": "PEM"}},
	})
	want := map[string]string{
		"process.roles":                          "broker,controller",
		"node.id":                                "1",
		"controller.quorum.voters":               "1@127.0.0.1:1002",
		"controller.listener.names":              "CONTROLLER",
		"listeners":                              "PLAINTEXT://127.0.0.1:1001,CONTROLLER://127.0.0.1:1002,SECURE://127.0.0.1:1003",
		"advertised.listeners":                   "PLAINTEXT://127.0.0.1:1001,SECURE://127.0.0.1:1004",
		"listener.security.protocol.map":         "PLAINTEXT:PLAINTEXT,CONTROLLER:PLAINTEXT,SECURE:SASL_SSL",
		"inter.broker.listener.name":             "PLAINTEXT",
		"listener.name.secure.ssl.keystore.type": "PEM",
		"log.dirs":                               "/data",
		"num.partitions":                         "7",
		"log.segment.bytes":                      "1000000",
	}
	for name, value := range singleNodeDefaults() {
		want[name] = value
	}
	want["offsets.topic.num.partitions"] = "9"
	if diff := cmp.Diff(want, got); diff != "" {
		t.Fatalf("unexpected settings (-want +got):\n%s", diff)
	}
}

func TestOwnedPropertiesAreTheOnesSet(t *testing.T) {
	got := serverProperties(Config{}, "/data", []endpoint{{name: plaintext}, {name: controller}})
	for _, name := range ownedProperties {
		if got[name] == "" {
			t.Errorf("%s is refused in Config.Properties but never set", name)
		}
	}
}

func TestValidate(t *testing.T) {
	f := func(change func(*Config), want string) {
		t.Helper()
		c := Default()
		c.Dir = "dir"
		change(&c)
		err := c.Validate()
		if want == "" {
			if err != nil {
				t.Errorf("unexpected error: %v", err)
			}
			return
		}
		if err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("unexpected error: got %v; want one with %q", err, want)
		}
	}
	listeners := func(l ...Listener) func(*Config) { return func(c *Config) { c.Listeners = l } }

	f(func(*Config) {}, "")
	f(func(c *Config) { c.Dir = "" }, "dir is empty")
	f(func(c *Config) { c.Port = 65536 }, "cannot use port 65536")
	f(func(c *Config) { c.Partitions = 0 }, "cannot use partitions 0")
	f(func(c *Config) { c.HeapMiB = 127 }, "cannot use heap of 127 MiB")
	f(func(c *Config) { c.ReadyTimeout = -1 }, "cannot use ready timeout")
	f(func(c *Config) { c.Properties = map[string]string{"log.dirs": "/"} }, `cannot use property "log.dirs"`)
	f(listeners(Listener{Name: "SECURE", Protocol: "SASL_SSL"}), "")
	f(listeners(Listener{Name: "secure", Protocol: "SASL_SSL"}), "upper case")
	f(listeners(Listener{Name: "CONTROLLER", Protocol: "SSL"}), "the name is taken")
	f(listeners(Listener{Name: "A", Protocol: "SSL"}, Listener{Name: "A", Protocol: "SSL"}), "the name is taken")
	f(listeners(Listener{Name: "A", Protocol: "TLS"}), `protocol "TLS"`)
	f(listeners(Listener{Name: "A", Protocol: "SSL", Port: -1}), "port -1")
	f(listeners(Listener{Name: "A", Protocol: "SSL", AdvertisedPort: 65536}), "advertised port 65536")
}

func TestWithDefaultsKeepsWhatIsSet(t *testing.T) {
	if diff := cmp.Diff(Default(), Config{}.withDefaults()); diff != "" {
		t.Errorf("zero config (-want +got):\n%s", diff)
	}
	set := Config{Dir: "d", Partitions: 1, HeapMiB: 200, ReadyTimeout: 1}
	if diff := cmp.Diff(set, set.withDefaults()); diff != "" {
		t.Errorf("full config (-want +got):\n%s", diff)
	}
}

func TestNewClusterID(t *testing.T) {
	seen := map[string]bool{}
	for range 1000 {
		id := newClusterID()
		if len(id) != 22 || id[0] == '-' || seen[id] {
			t.Fatalf("unexpected cluster id %q", id)
		}
		seen[id] = true
	}
}
