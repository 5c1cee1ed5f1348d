// Package chdb runs ClickHouse inside this process, from the shared library
// libchdb, and puts a loopback HTTP front before it. The dev command and the
// tests use it in place of a ClickHouse server; production talks to a real one.
//
// Three layers, each usable without the next:
//
//   - [Fetch] finds the library in the cache or downloads it once with npm.
//   - [Open] starts the engine on a directory; [Engine.Conn] gives sessions.
//   - [Start] serves ClickHouse's HTTP interface over the engine, well enough
//     for clickhouse-go with Protocol HTTP, curl, and Grafana's data source.
//
// The library is opened without cgo. One process holds at most one engine,
// because libchdb keeps its state in process-wide variables; [Open] returns
// [ErrEngineOpen] for a second one.
package chdb
