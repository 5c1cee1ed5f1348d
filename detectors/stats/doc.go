// Package stats holds the tests and estimators that the detectors need and gonum
// lacks: rank tests, tests that stay valid however often one looks, group
// sequential designs, and false discovery control by e-values. Every function
// names its source; published values are in the tests.
//
// An e-value is a number that is expected to be at most 1 when the null
// hypothesis is true; an e-process stays so at every stopping time. So the chance
// that it ever reaches 1/α is at most α (Ville, 1939). They are kept as
// logarithms: products of many likelihood ratios overflow.
package stats
