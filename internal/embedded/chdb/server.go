package chdb

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

// Server is ClickHouse's HTTP interface over an [Engine] of this process.
//
// It serves what clickhouse-go, curl and Grafana use: statements by GET and
// POST, settings, database and query parameters in the URL, every input and
// output format of the engine, Native at any client_protocol_version,
// ClickHouse's own and gzip compression, errors with their code. GET cannot
// change data. Every user name and password is accepted. It does not know
// sessions (session_id), external tables, roles or quotas. An answer is held
// in memory until it is complete, so a failing statement always gives an
// error status, never half an answer.
type Server struct {
	engine   *Engine
	http     *http.Server
	listener net.Listener
	version  string
	timezone string
	limits   Config
	running  chan struct{} // a token per running statement
	admitted chan struct{} // a token per running or waiting statement

	serving   sync.WaitGroup
	watching  sync.WaitGroup
	hurry     context.CancelFunc // kills what still runs
	serveErr  error
	closeOnce sync.Once
	closeErr  error
}

// Start fetches the library if need be, opens the engine and serves it. The
// context bounds the start only. It returns [ErrEngineOpen] while this process
// has another engine open. The caller must call Close.
func Start(ctx context.Context, cfg Config) (*Server, error) {
	if err := cfg.Validate(); err != nil {
		return nil, err
	}
	if cfg.Library == "" {
		path, err := Fetch(ctx, FetchConfig{Progress: cfg.Progress})
		if err != nil {
			return nil, err
		}
		cfg.Library = path
	}
	listener, err := new(net.ListenConfig).Listen(ctx, "tcp", cfg.Addr)
	if err != nil {
		return nil, fmt.Errorf("cannot listen on %q: %w", cfg.Addr, err)
	}
	engine, err := Open(EngineConfig{Library: cfg.Library, Dir: cfg.Dir})
	if err != nil {
		listener.Close()
		return nil, err
	}
	s := &Server{
		engine: engine, listener: listener, limits: cfg,
		running:  make(chan struct{}, cfg.MaxConcurrent),
		admitted: make(chan struct{}, cfg.MaxConcurrent+cfg.MaxWaiting),
	}
	if err := s.identify(); err != nil {
		listener.Close()
		return nil, errors.Join(err, engine.Close())
	}
	base, hurry := context.WithCancel(context.WithoutCancel(ctx))
	s.hurry = hurry
	s.http = &http.Server{
		Handler: s.routes(), ReadHeaderTimeout: 10 * time.Second, IdleTimeout: 2 * time.Minute,
		BaseContext: func(net.Listener) context.Context { return base },
	}
	s.serving.Go(func() { s.serveErr = s.http.Serve(listener) })
	return s, nil
}

// identify asks the engine for what goes into every answer.
func (s *Server) identify() error {
	out, err := s.engine.Query("SELECT version(), timezone()", "TabSeparated")
	if err != nil {
		return fmt.Errorf("cannot ask the engine for its version: %w", err)
	}
	s.version, s.timezone, _ = strings.Cut(strings.TrimSpace(string(out)), "\t")
	return nil
}

// Addr is the address the server listens on, host:port.
func (s *Server) Addr() string { return s.listener.Addr().String() }

// URL is the address as a URL without a path.
func (s *Server) URL() string { return "http://" + s.Addr() }

// DSN is the data source name for clickhouse-go, for one database; empty
// means the database "default".
func (s *Server) DSN(database string) string {
	if database == "" {
		database = "default"
	}
	return s.URL() + "/" + database
}

// Engine is the engine behind the server, for statements without HTTP.
func (s *Server) Engine() *Engine { return s.engine }

// killTime is what Close grants killed statements to answer their clients.
const killTime = 2 * time.Second

// Close stops listening, lets running statements finish for the grace period,
// kills what still runs, stops the engine and removes a temporary directory.
// It may be called more than once.
func (s *Server) Close() error {
	s.closeOnce.Do(func() {
		grace := time.AfterFunc(s.limits.GracePeriod, s.hurry)
		ctx, cancel := context.WithTimeout(context.Background(), s.limits.GracePeriod+killTime)
		defer cancel()
		err := s.http.Shutdown(ctx)
		if errors.Is(err, context.DeadlineExceeded) {
			// A client that never ends its body: an insert cut off here is
			// not committed.
			err = s.http.Close()
		}
		grace.Stop()
		s.hurry()
		s.watching.Wait()
		s.serving.Wait()
		if !errors.Is(s.serveErr, http.ErrServerClosed) {
			err = errors.Join(err, s.serveErr)
		}
		s.closeErr = errors.Join(err, s.engine.Close())
	})
	return s.closeErr
}

// admit waits for a turn. The caller runs release when it is done.
func (s *Server) admit(ctx context.Context) (release func(), err error) {
	select {
	case s.admitted <- struct{}{}:
	default:
		return nil, newError(codeTooMany, "TOO_MANY_SIMULTANEOUS_QUERIES", "Too many simultaneous queries: %d run and %d wait", cap(s.running), s.limits.MaxWaiting)
	}
	select {
	case s.running <- struct{}{}:
	case <-ctx.Done():
		<-s.admitted
		return nil, ctx.Err()
	}
	return func() { <-s.running; <-s.admitted }, nil
}
