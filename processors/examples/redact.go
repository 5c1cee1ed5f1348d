package examples

import (
	"regexp"
	"strings"
	"unicode/utf8"
)

// MostText is how much of a text is read at most, in bytes. MostShown is how much is
// shown, in characters.
const (
	MostText  = 1024
	MostShown = 240
)

// redactions are what texts lose, in this order. docs/formats/README.md lists them.
var redactions = []struct {
	pattern *regexp.Regexp
	with    string
}{
	{regexp.MustCompile(`(?s)-----BEGIN [A-Z ]+-----.*?(?:-----END [A-Z ]+-----|$)`), "[key]"},
	{regexp.MustCompile(`(?i)\b([a-z][a-z0-9+.-]*://)[^\s/@]+@`), "${1}[secret]@"},
	{regexp.MustCompile(`(?i)\b(bearer|basic|digest|negotiate)\s+[A-Za-z0-9._~+/=-]{6,}`), "$1 [token]"},
	{regexp.MustCompile(`(?i)([a-z0-9_.-]*(?:passw(?:or)?d|passphrase|pwd|secret|token|api[_-]?key|access[_-]?key|private[_-]?key|credentials?|authorization|cookie|session[_-]?id)[a-z0-9_.-]*\\?["']?\s*[=:]\s*)(?:\\?"[^"]*(?:"|$)|'[^']*(?:'|$)|[^\s,;&}\]\[]+)`), "${1}[secret]"},
	{regexp.MustCompile(`\beyJ[A-Za-z0-9_-]+(?:\.[A-Za-z0-9_-]*){1,4}`), "[token]"},
	{regexp.MustCompile(`\b(?:(?:AKIA|ASIA)[A-Z0-9]{12,}|gh[pousr]_[A-Za-z0-9]{16,}|github_pat_[A-Za-z0-9_]{16,}|xox[a-z]-[A-Za-z0-9-]{8,}|[rsp]k_(?:live|test)_[A-Za-z0-9]{8,}|AIza[A-Za-z0-9_-]{20,}|glpat-[A-Za-z0-9_-]{12,})`), "[token]"},
	{regexp.MustCompile(`[A-Za-z0-9._%+-]+@[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+`), "[email]"},
	{regexp.MustCompile(`\b[A-Za-z0-9+/_]{32,}={0,2}`), "[token]"},
	{regexp.MustCompile(`\+?\b\d{3,4}(?:[ -]\d{3,4}){2,4}\b`), "[digits]"},
	{regexp.MustCompile(`\d{7,}`), "[digits]"},
}

// Redact returns what of a text may be shown: one line, without what looks like a secret,
// an address of mail or a number of a card, an account or a telephone, and not long.
func Redact(text string) string {
	if text == "" {
		return ""
	}
	if len(text) >= MostText { // what is at the end may be a part of something
		text = text[:MostText]
		text = text[:max(strings.LastIndexAny(text, " \t\r\n"), 0)]
	}
	text = strings.ToValidUTF8(text, "\uFFFD")
	for _, r := range redactions {
		text = r.pattern.ReplaceAllString(text, r.with)
	}
	text = strings.Join(strings.Fields(strings.Map(printable, text)), " ")
	if utf8.RuneCountInString(text) > MostShown {
		text = string([]rune(text)[:MostShown-1]) + "…"
	}
	if text == "" {
		return "[text]"
	}
	return text
}

func printable(r rune) rune {
	if r < ' ' || r == 0x7f {
		return ' '
	}
	return r
}
