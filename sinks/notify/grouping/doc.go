// Package grouping says what is to be told to whom, and when: a machine over findings and
// decisions, without a clock and without I/O.
//
// Every receiver has an item for each finding that it is told of. What an item lacks, news
// that the receiver has not been told, becomes due after the receiver's wait. All due and
// undue news of a group are one notification; what was resolved meanwhile, or is explained
// by a running operation, is none. Items are rows of the state topic, written in the
// transaction that commits how far was read, so that a successor tells nothing twice: only
// what was sent and not noted before a crash, and that with the same id.
package grouping
