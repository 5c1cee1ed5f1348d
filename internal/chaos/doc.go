// Package chaos runs real flyball processes against a real Apache Kafka while
// faults happen to them, and compares what they come to with what one process
// comes to that is left alone: the same windows, findings, decisions and commands,
// each once.
//
// Every process reaches the broker over a proxy of its own, so that its
// connections can be cut, slowed down or held up without the others noticing.
// Processes are killed, frozen beyond the timeout of their session, paused for a
// moment, stopped in order and started; the broker is stopped and killed.
//
// Faults follow from a seed. What they meet does not: processes run in real time.
// Telemetry is a simulated shop whose event time passes as fast as the wall clock;
// a run takes as much of it as its faults take time, and the run that it is
// compared with reads the very same topic.
package chaos
