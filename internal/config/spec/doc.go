// Package spec holds the configuration as it is written: one struct per kind of
// document, whose comments say what a field means and whose tags say its name,
// default, range and allowed values (package strictyaml reads them). Reference
// pages and JSON Schema are made from these declarations.
package spec
