// Package config turns a directory of YAML documents into a [Config]: checked,
// with every default filled in, in the form that the stages work with.
//
// It reads the kinds of apiVersion flyball.dev/v1 (Pipeline, Source, Indicator,
// Rule) and OpenSLO's openslo/v1 documents as they are, where a metric source of
// type "flyball" names an Indicator. The struct of a kind's spec is at once its
// reference: names, defaults, ranges and allowed values are in its tags, their
// meaning in its comments.
//
// [Lint] reports everything that is wrong, with file, line and column; [Load]
// refuses a configuration with an error in it; [Marshal] shows what was
// understood.
package config
