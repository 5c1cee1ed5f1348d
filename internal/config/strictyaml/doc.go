// Package strictyaml reads YAML documents into structs and reports everything
// that is wrong with them, not only the first thing: every [Problem] has the
// file, line and column of the exact node, the path of the field, and where it
// can, a hint.
//
// It differs from a plain decoder in what it refuses: fields that no struct
// names, keys given twice, numbers where text is wanted, and values outside
// their range. A document stays open to questions after decoding, so that later
// checks can point at places too ([Document.Report]).
//
// What a field takes is said in its struct tags, next to its doc comment, so
// that reference pages and JSON Schema can be made from the same declaration:
//
//	yaml:"name"       the key
//	default:"1m"      the value when the key is absent
//	required:"true"   the key must be there
//	enum:"a|b"        the values allowed
//	min:"1s" max:"1m" the range, for integers and for Duration
package strictyaml
