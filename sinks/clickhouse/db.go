package clickhouse

import (
	"cmp"
	"crypto/tls"
	"errors"
	"fmt"
	"net/url"
	"strings"

	ch "github.com/ClickHouse/clickhouse-go/v2"
	"github.com/ClickHouse/clickhouse-go/v2/lib/driver"
)

// DefaultDatabase holds the tables when nothing else is said.
const DefaultDatabase = "flyball"

// Config says where the ClickHouse server is.
type Config struct {
	// DSN is the address as clickhouse-go reads it:
	// clickhouse://user:password@host:9000/database for the native protocol,
	// http:// or https://host:8123/database for HTTP. Several hosts may be given,
	// separated by commas. Parameters that clickhouse-go does not know are
	// settings of every statement.
	DSN string
	// Database holds the tables. Empty means that of the DSN, or else
	// DefaultDatabase.
	Database string
	// TLS says whom to trust and who we are, where the DSN asks for an encrypted
	// connection; nil trusts the authorities of the operating system.
	TLS *tls.Config
}

// Default is a server on this machine with the native protocol.
func Default() Config {
	return Config{DSN: "clickhouse://localhost:9000", Database: ""}
}

// Validate reports the first setting that cannot work.
func (c Config) Validate() error {
	_, err := c.options()
	return err
}

func (c Config) options() (*ch.Options, error) {
	if c.DSN == "" {
		return nil, errors.New("cannot connect to ClickHouse: the DSN is empty, want clickhouse://host:9000 or http://host:8123")
	}
	switch scheme, _, _ := strings.Cut(c.DSN, "://"); scheme {
	case "clickhouse", "tcp", "http", "https":
	default: // clickhouse-go would take it for the native protocol
		return nil, errors.New("cannot read ClickHouse DSN: it starts with none of clickhouse://, tcp://, http://, https://")
	}
	opts, err := ch.ParseDSN(secured(c.DSN))
	if err != nil {
		return nil, fmt.Errorf("cannot read ClickHouse DSN: %w", withoutURL(err))
	}
	if c.TLS != nil {
		if opts.TLS == nil {
			return nil, errors.New("cannot use certificates for ClickHouse: the DSN does not ask for an encrypted connection; write https://, or add ?secure=true")
		}
		own := c.TLS.Clone()
		own.ServerName = cmp.Or(own.ServerName, opts.TLS.ServerName)
		own.InsecureSkipVerify = opts.TLS.InsecureSkipVerify
		opts.TLS = own
	}
	if c.Database != "" {
		opts.Auth.Database = c.Database
	}
	if opts.Auth.Database == "" {
		opts.Auth.Database = DefaultDatabase
	}
	if opts.Compression == nil && opts.Protocol == ch.Native {
		opts.Compression = &ch.Compression{Method: ch.CompressionLZ4}
	}
	return opts, nil
}

// secured asks for encryption where the scheme already does: clickhouse-go wants
// both.
func secured(dsn string) string {
	address, query, _ := strings.Cut(dsn, "?")
	if !strings.HasPrefix(address, "https://") || strings.Contains(query, "secure=") {
		return dsn
	}
	return address + "?" + strings.TrimPrefix(query+"&secure=true", "&")
}

// withoutURL leaves the DSN, and the password in it, out of the error of one that
// cannot be read.
func withoutURL(err error) error {
	var u *url.Error
	if errors.As(err, &u) {
		return u.Err
	}
	return err
}

// DB is Flyball's database on a ClickHouse server. It is safe for concurrent
// use; its Writers are not.
type DB struct {
	conn driver.Conn
	opts *ch.Options
}

// Open prepares connections, without making one: a server that is down shows at
// the first statement. The caller must Close it.
func Open(c Config) (*DB, error) {
	opts, err := c.options()
	if err != nil {
		return nil, err
	}
	conn, err := ch.Open(opts)
	if err != nil {
		return nil, fmt.Errorf("cannot open ClickHouse: %w", err)
	}
	return &DB{conn: conn, opts: opts}, nil
}

// Name is the database's name.
func (db *DB) Name() string { return db.opts.Auth.Database }

// Conn is the connection pool, for queries; the database is the current one of
// every statement.
func (db *DB) Conn() driver.Conn { return db.conn }

// Close ends all connections.
func (db *DB) Close() error {
	if err := db.conn.Close(); err != nil {
		return fmt.Errorf("cannot close ClickHouse: %w", err)
	}
	return nil
}

// quote makes an identifier of a name.
func quote(name string) string {
	return "`" + strings.NewReplacer("\\", "\\\\", "`", "\\`").Replace(name) + "`"
}
