package strictyaml

import (
	"strings"

	yaml "go.yaml.in/yaml/v4"
)

// locate returns the place in the document of the character at line and col of
// a scalar's text. It walks the text and the source side by side, since quoting,
// folding and indentation make the two differ.
func (d *Document) locate(n *yaml.Node, line, col int) (atLine, atCol int) {
	w := d.startOf(n)
	atLine, atCol = n.Line, n.Column
	textLine, textCol := 1, 1
	for _, r := range n.Value {
		var width int
		atLine, atCol, width = w.seek(r)
		if textLine == line && textCol >= col {
			return atLine, atCol
		}
		if textLine > line {
			return atLine, atCol
		}
		w.col += width
		if textCol++; r == '\n' {
			textLine, textCol = textLine+1, 1
		}
	}
	// Past the end of the text: the place right after it.
	if n.Value != "" && !strings.HasSuffix(n.Value, "\n") {
		atCol++
	}
	return atLine, atCol
}

// walker is a place in the source of a scalar; col counts from 0.
type walker struct {
	doc       *Document
	style     yaml.Style
	indent    int // of a block scalar
	line, col int
	source    []rune
}

// startOf returns a walker at the first character of a scalar.
func (d *Document) startOf(n *yaml.Node) *walker {
	w := &walker{doc: d, style: n.Style, line: n.Line, source: []rune(d.line(n.Line))}
	if n.Style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		w.indent = d.blockIndent(n.Line)
		w.nextLine()
		return w
	}
	w.col = max(0, n.Column-1)
	// A tag or an anchor stands before the text.
	for w.col < len(w.source) && (w.source[w.col] == '!' || w.source[w.col] == '&') {
		for w.col < len(w.source) && w.source[w.col] != ' ' {
			w.col++
		}
		w.skipSpace()
	}
	if n.Style&(yaml.DoubleQuotedStyle|yaml.SingleQuotedStyle) != 0 {
		w.col++
	}
	return w
}

// blockIndent returns the indentation of the block after a header line: that of
// its first line with text.
func (d *Document) blockIndent(header int) int {
	for n := header + 1; d.base+n <= len(d.lines); n++ {
		line := d.line(n)
		if trimmed := strings.TrimLeft(line, " "); trimmed != "" {
			return len(line) - len(trimmed)
		}
	}
	return 0
}

func (w *walker) skipSpace() {
	for w.col < len(w.source) && (w.source[w.col] == ' ' || w.source[w.col] == '\t') {
		w.col++
	}
}

func (w *walker) nextLine() bool {
	if w.doc.base+w.line >= len(w.doc.lines) {
		return false
	}
	w.line++
	w.source, w.col = []rune(w.doc.line(w.line)), 0
	if w.style&(yaml.LiteralStyle|yaml.FoldedStyle) != 0 {
		w.col = min(w.indent, len(w.source))
	} else {
		w.skipSpace()
	}
	return true
}

// seek moves to the source of r, the next character of the text, and returns
// where that is, counted from 1, and how many characters of source it takes from
// the walker's place on.
func (w *walker) seek(r rune) (line, col, width int) {
	for {
		line, col = w.line, w.col+1
		switch {
		case w.col < len(w.source) && w.style&yaml.DoubleQuotedStyle != 0 && w.source[w.col] == '\\':
			if w.col+1 < len(w.source) {
				return line, col, escapeWidth(w.source[w.col+1])
			}
			// A backslash at the end of a line joins it to the next.
			if !w.nextLine() {
				return line, col, 0
			}
		case w.col < len(w.source) && w.style&yaml.SingleQuotedStyle != 0 && w.source[w.col] == '\'' && r == '\'':
			return line, col, 2
		case w.col < len(w.source) && w.source[w.col] == r:
			return line, col, 1
		case w.fold(r), !w.skip():
			return line, col, 0
		}
	}
}

// fold reports whether r stands for the line break here. The walker then moves
// on to the next line, or stays at the end of the last.
func (w *walker) fold(r rune) bool {
	if r != ' ' && r != '\n' {
		return false
	}
	rest := strings.TrimSpace(string(w.source[min(w.col, len(w.source)):]))
	if rest != "" {
		return false
	}
	w.nextLine()
	return true
}

// skip passes over source that stands for nothing: space at the end of a line
// and the break itself.
func (w *walker) skip() bool {
	if strings.TrimSpace(string(w.source[min(w.col, len(w.source)):])) == "" {
		return w.nextLine()
	}
	w.col++
	return true
}

// escapeWidth is the length of an escape sequence that starts with a backslash
// and c.
func escapeWidth(c rune) int {
	switch c {
	case 'x':
		return 4
	case 'u':
		return 6
	case 'U':
		return 10
	}
	return 2
}
