//go:build !race

package docs_test

const once = false
