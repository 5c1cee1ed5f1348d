// Package apachekafka runs a real Apache Kafka broker as a child process.
package apachekafka
