package spec

// Pipeline is the spec of kind Pipeline.
type Pipeline struct {
	// Kafka is where telemetry is read and results are written.
	Kafka Kafka `yaml:"kafka"`
	// Partitions are the partition counts of topics that Flyball makes.
	Partitions Partitions `yaml:"partitions"`
	// CommitInterval is how much time one transaction covers; results appear at
	// this pace. 250 ms to 1 s is sensible: shorter costs throughput, longer costs
	// delay.
	CommitInterval Duration `yaml:"commitInterval" default:"500ms" min:"10ms" max:"5s"`
	// ClickHouse is where results are kept for reports.
	ClickHouse ClickHouse `yaml:"clickhouse"`
	// HTTP is the API and the web UI.
	HTTP HTTP `yaml:"http"`
	// Workers is how many consumers of the aggregate role one process runs; 0 is
	// one per CPU.
	Workers int `yaml:"workers" default:"0" min:"0" max:"1024"`
	// Signing of commands.
	Signing Signing `yaml:"signing"`
	// SLO holds settings of the evaluation of SLOs.
	SLO SLOSettings `yaml:"slo"`
	// Limits bound memory.
	Limits Limits `yaml:"limits"`
}

// Kafka is how to reach the brokers.
type Kafka struct {
	// Brokers to ask first, as host:port.
	Brokers []string `yaml:"brokers" default:"127.0.0.1:9092"`
	// TopicPrefix starts the names of all topics that Flyball makes.
	TopicPrefix string `yaml:"topicPrefix" default:"flyball."`
	// Group starts the names of consumer groups and transactional ids.
	Group string `yaml:"group" default:"flyball"`
	// ClientID starts the client ids of all connections: brokers write them into
	// their logs and show them with the members of groups.
	ClientID string `yaml:"clientID" default:"flyball"`
	// SessionTimeout is how long the brokers wait for a sign of life of a process
	// before others take over, and how long its unfinished transaction may stand.
	// Brokers refuse less than their group.min.session.timeout.ms, 6s unless it
	// was changed.
	SessionTimeout Duration `yaml:"sessionTimeout" default:"15s" min:"6s" max:"5m"`
	// TLS encrypts connections; without it they are plain.
	TLS *TLS `yaml:"tls,omitempty"`
	// SASL says who we are; without it nobody is said.
	SASL *SASL `yaml:"sasl,omitempty"`
}

// TLS is how connections to brokers or to the database are encrypted.
type TLS struct {
	// CAFile holds the certificates, in PEM, that may have signed the servers'.
	// Without it those of the operating system may.
	CAFile string `yaml:"caFile,omitempty"`
	// CertFile and KeyFile hold our own certificate and its key, in PEM, for
	// servers that ask for one (mutual TLS).
	CertFile string `yaml:"certFile,omitempty"`
	// KeyFile belongs to CertFile.
	KeyFile string `yaml:"keyFile,omitempty"`
	// ServerName is the name expected in the servers' certificates where it is not
	// the host that is connected to.
	ServerName string `yaml:"serverName,omitempty"`
}

// SASL is how we prove to the brokers who we are.
type SASL struct {
	// Mechanism is what the brokers want.
	Mechanism string `yaml:"mechanism" required:"true" enum:"PLAIN|SCRAM-SHA-256|SCRAM-SHA-512|OAUTHBEARER"`
	// Username and Password are for PLAIN and SCRAM.
	Username string `yaml:"username,omitempty"`
	// Password should come from ${env:NAME} or ${file:/path}.
	Password Secret `yaml:"password,omitempty"`
	// TokenFile is for OAUTHBEARER: it is read again at every connection, so that
	// whoever renews the token only has to rewrite the file.
	TokenFile string `yaml:"tokenFile,omitempty"`
}

// Partitions are partition counts.
type Partitions struct {
	// Panes is the number of partitions of the panes topic and of the topics that
	// are read together with it: the most evaluate processes that can share the
	// work. It cannot be changed later without losing state.
	Panes int `yaml:"panes" default:"8" min:"1" max:"1024"`
}

// ClickHouse is how to reach the database.
type ClickHouse struct {
	// DSN of the server, such as clickhouse://user:password@host:9000/flyball;
	// the schemes are clickhouse, tcp, http and https. Without it nothing is
	// recorded.
	DSN Secret `yaml:"dsn"`
	// TLS says whom to trust and who we are on encrypted connections, which the DSN
	// asks for by secure=true or https. Without it the authorities of the operating
	// system are trusted.
	TLS *TLS `yaml:"tls,omitempty"`
}

// HTTP is the API server.
type HTTP struct {
	// Listen is the address to listen on, as host:port; the host may be empty for
	// all addresses.
	Listen string `yaml:"listen" default:"127.0.0.1:8686"`
	// TLS encrypts connections; without it they are plain.
	TLS *ServerTLS `yaml:"tls,omitempty"`
	// Tokens say who may do what. Without them whoever is on this machine may do
	// everything when Listen is a loopback address, and else nobody anything but ask
	// for health and metrics.
	Tokens []AccessToken `yaml:"tokens,omitempty"`
	// RequestsPerSecond is how often one token may ask; four times as often in one go.
	RequestsPerSecond int `yaml:"requestsPerSecond" default:"50" min:"1" max:"100000"`
}

// ServerTLS is the certificate of a listener. It is read again when the files change.
type ServerTLS struct {
	// CertFile holds the certificate and those between it and the authority's, in PEM.
	CertFile string `yaml:"certFile" required:"true"`
	// KeyFile holds its key, in PEM.
	KeyFile string `yaml:"keyFile" required:"true"`
}

// AccessToken is what somebody shows to the API.
type AccessToken struct {
	// Name is recorded as who did what.
	Name string `yaml:"name" required:"true"`
	// Role is what its holder may do: read; also start and end analyses of canaries;
	// also control automation.
	Role string `yaml:"role" required:"true" enum:"viewer|deployer|operator"`
	// Token must come from ${env:NAME} or ${file:/path}, and have at least 16
	// characters.
	Token Secret `yaml:"token" required:"true"`
}

// Signing is the key that signs commands. Without it commands are not signed.
type Signing struct {
	// KeyFile is the path of the Ed25519 private key, in PEM.
	KeyFile string `yaml:"keyFile,omitempty"`
	// KeyID tells executors which public key to check with.
	KeyID string `yaml:"keyID,omitempty"`
}

// SLOSettings are settings of the evaluation of SLOs.
type SLOSettings struct {
	// StatusInterval is how often, in event time, the status of every SLO is
	// written.
	StatusInterval Duration `yaml:"statusInterval" default:"1m" min:"1s" max:"1h"`
}

// Limits bound memory. Every limit has a metric that counts what it stopped.
type Limits struct {
	// SeriesPerIndicator is the series limit of indicators that do not give one.
	SeriesPerIndicator int `yaml:"seriesPerIndicator" default:"100000" min:"1" max:"10000000"`
	// LabelSets bounds the distinct label sets that are interned per partition.
	LabelSets int `yaml:"labelSets" default:"1000000" min:"1" max:"100000000"`
	// LabelBytes bounds the memory that they take, in bytes, per consumer of the
	// aggregate role.
	LabelBytes int `yaml:"labelBytes" default:"268435456" min:"1048576" max:"68719476736"`
}
