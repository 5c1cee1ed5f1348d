package chdb

import "strings"

// statement is what the front must know of a SQL text to route it: the engine
// takes the rows of an INSERT by another call than everything else.
type statement struct {
	// sql is the text for the engine: without trailing semicolons, and for an
	// insert with data without its FORMAT or VALUES clause.
	sql string
	// insert is set for an INSERT whose rows follow the statement.
	insert bool
	// format is the FORMAT clause ("Values" for VALUES); empty without one.
	format string
	// data is the part of the text that is already rows.
	data string
}

// parseStatement splits one SQL statement. It looks at words outside
// brackets, strings and comments only; the engine does the real parsing.
func parseStatement(sql string) (statement, error) {
	s := scanner{text: sql}
	first := s.next()
	if first.kind == tokenEnd {
		return statement{}, newError(codeSyntaxError, "SYNTAX_ERROR", "Empty query")
	}
	if first.is("INSERT") {
		if st, ok := parseInsert(&s); ok {
			return st, nil
		}
		s = scanner{text: sql}
		s.next()
	}
	st := statement{sql: sql}
	var before, last token // the two tokens before the current one
	for t := first; t.kind != tokenEnd; t = s.next() {
		if t.is(";") {
			if s.next().kind != tokenEnd {
				return st, newError(codeSyntaxError, "SYNTAX_ERROR", "Multi-statements are not allowed: there is text after %q", shorten(sql[:t.end]))
			}
			st.sql = sql[:t.start]
			break
		}
		// FORMAT is a clause only if its name ends the statement or is
		// followed by SETTINGS; elsewhere it may be an alias.
		if before.is("FORMAT") && last.kind == tokenWord && t.is("SETTINGS") {
			st.format = last.text
		}
		if last.is("INTO") && t.is("OUTFILE") {
			return st, newError(codeNotImplemented, "NOT_IMPLEMENTED", "INTO OUTFILE is for command line clients: the server would write a file of its own machine")
		}
		before, last = last, t
	}
	if before.is("FORMAT") && last.kind == tokenWord {
		st.format = last.text
	}
	return st, nil
}

// parseInsert reports false for an INSERT that takes its rows from a query or
// a file: the engine runs those like any other statement.
func parseInsert(s *scanner) (statement, bool) {
	start := 0
	named := false // the table's name was seen
	for {
		t := s.next()
		switch {
		case t.kind == tokenEnd, t.is(";"):
			return statement{sql: s.text[start:t.start], insert: true, data: s.text[t.end:]}, true
		case t.is("("):
			if n := s.peek(); n.is("SELECT") || n.is("WITH") {
				return statement{}, false
			}
			s.skipBrackets()
		case !named:
			named = !t.is("INTO") && !t.is("TABLE") && !t.is("FUNCTION")
		case t.is("."):
			s.next() // the rest of a qualified name, whatever word it is
		case t.is("VALUES"):
			return statement{sql: s.text[start:t.start], insert: true, format: "Values", data: s.text[t.end:]}, true
		case t.is("FORMAT"):
			name := s.next()
			return statement{sql: s.text[start:t.start], insert: true, format: name.text, data: trimDataStart(s.text[name.end:])}, true
		case t.is("SELECT"), t.is("WITH"), t.is("FROM"), t.is("WATCH"):
			return statement{}, false
		}
	}
}

// trimDataStart drops the blanks and the one line end between the name of a
// format and the rows, as ClickHouse does.
func trimDataStart(data string) string {
	data = strings.TrimLeft(data, " \t\r")
	return strings.TrimPrefix(data, "\n")
}

type tokenKind int

const (
	tokenEnd    tokenKind = iota
	tokenWord             // identifier, keyword or number
	tokenQuoted           // string or quoted identifier
	tokenSign             // one character of punctuation
)

type token struct {
	kind       tokenKind
	text       string
	start, end int
}

func (t token) is(word string) bool {
	return (t.kind == tokenWord || t.kind == tokenSign) && strings.EqualFold(t.text, word)
}

// scanner gives the tokens of a SQL text. Brackets are ordinary signs.
type scanner struct {
	text string
	pos  int
}

func (s *scanner) peek() token {
	saved := s.pos
	t := s.next()
	s.pos = saved
	return t
}

func (s *scanner) next() token {
	s.skipBlank()
	start := s.pos
	if start >= len(s.text) {
		return token{start: len(s.text), end: len(s.text)}
	}
	kind := tokenSign
	switch c := s.text[start]; {
	case c == '\'' || c == '"' || c == '`':
		kind = tokenQuoted
		s.skipQuoted(c)
	case c == '$' && s.skipHeredoc():
		kind = tokenQuoted
	case isWord(c):
		kind = tokenWord
		for s.pos < len(s.text) && isWord(s.text[s.pos]) {
			s.pos++
		}
	default:
		s.pos++
	}
	return token{kind: kind, text: s.text[start:s.pos], start: start, end: s.pos}
}

func isWord(c byte) bool {
	return c == '_' || c >= 0x80 || c >= '0' && c <= '9' || c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z'
}

// skipBlank skips white space and comments.
func (s *scanner) skipBlank() {
	for s.pos < len(s.text) {
		rest := s.text[s.pos:]
		switch {
		case strings.IndexByte(" \t\r\n\f\v\x00", rest[0]) >= 0:
			s.pos++
		case strings.HasPrefix(rest, "--"), strings.HasPrefix(rest, "#!"), strings.HasPrefix(rest, "# "):
			s.skipTo(rest, "\n")
		case strings.HasPrefix(rest, "/*"):
			s.skipTo(rest, "*/")
		default:
			return
		}
	}
}

// skipTo moves behind the next mark, or to the end without one.
func (s *scanner) skipTo(rest, mark string) {
	if i := strings.Index(rest, mark); i >= 0 {
		s.pos += i + len(mark)
		return
	}
	s.pos = len(s.text)
}

func (s *scanner) skipQuoted(quote byte) {
	for s.pos++; s.pos < len(s.text); s.pos++ {
		switch s.text[s.pos] {
		case '\\':
			s.pos++
		case quote:
			s.pos++
			if s.pos >= len(s.text) || s.text[s.pos] != quote {
				return
			}
		}
	}
	s.pos = len(s.text)
}

// skipHeredoc skips $tag$ … $tag$ and reports whether there was one.
func (s *scanner) skipHeredoc() bool {
	rest := s.text[s.pos:]
	end := 1
	for end < len(rest) && isWord(rest[end]) {
		end++
	}
	if end >= len(rest) || rest[end] != '$' {
		return false
	}
	tag := rest[:end+1]
	i := strings.Index(rest[len(tag):], tag)
	if i < 0 {
		return false
	}
	s.pos += len(tag) + i + len(tag)
	return true
}

// skipBrackets moves behind the bracket that closes the one just read.
func (s *scanner) skipBrackets() {
	for depth := 1; depth > 0; {
		switch t := s.next(); {
		case t.kind == tokenEnd:
			return
		case t.is("("):
			depth++
		case t.is(")"):
			depth--
		}
	}
}

// shorten keeps the head of a statement for an error message.
func shorten(sql string) string {
	const most = 80
	sql = strings.Join(strings.Fields(sql[:min(len(sql), 4*most)]), " ")
	if len(sql) > most {
		sql = sql[:most] + "…"
	}
	return sql
}
