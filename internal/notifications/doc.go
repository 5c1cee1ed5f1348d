// Package notifications is the role notify: it reads findings and decisions, asks the
// machine of sinks/notify/grouping what is to be told, and tells it.
//
// What is read, and what that makes to be told, is committed in one transaction before
// anything is sent; that it was told is committed with the next one. A process that dies
// between sending and that commit leaves its successor to send the same once more, with
// the same id.
package notifications
