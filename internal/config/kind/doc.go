// Package kind is what the compilation of all kinds of documents has in common: the
// document, its problems and their codes, names, conditions, and what others build
// on.
package kind
