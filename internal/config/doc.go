// Package config turns a directory of YAML documents into a [Config]: checked,
// with every default filled in, in the form that the stages work with.
//
// It reads the kinds of apiVersion flyball.dev/v1 (Pipeline, Source, Indicator, Exclusion,
// Canary, Detector, Rule) and OpenSLO's openslo/v1 documents as they are, where a metric source of
// type "flyball" names an Indicator. The struct of a kind's spec is at once its
// reference: names, defaults, ranges and allowed values are in its tags, their
// meaning in its comments.
//
// [Lint] reports everything that is wrong, with file, line and column; [Load]
// refuses a configuration with an error in it; [Marshal] shows what was
// understood.
//
// # A kind that is more than a struct
//
// What compiles a kind, or a family of them, is a package of its own beside
// package openslo, which is the one to copy:
//
//   - spec.KIND is the struct of its spec (package spec);
//   - Documents holds what was read: one slice of *kind.Object[spec.KIND] for every
//     kind, to which Kinds adds (one line in kinds.go);
//   - Context is what of the rest of the configuration it builds on, no more: the
//     decoder, the names taken, the compiled indicators;
//   - (*Documents).Compile(Context) reports what is wrong to the documents, with
//     Report and Warn of kind.Object, and returns the compiled form;
//   - Format returns the spec of a compiled object, for [Marshal].
//
// What such packages share is in package kind: documents, codes of problems, names,
// conditions. Package config calls Compile in the order in which kinds build on each
// other, and knows nothing else of them.
package config
