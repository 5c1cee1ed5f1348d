package config

import (
	"fmt"
	"net"
	"regexp"

	"github.com/flyball-io/flyball/internal/config/kind"
	"github.com/flyball-io/flyball/internal/config/spec"
	"github.com/flyball-io/flyball/internal/config/strictyaml"
)

// leastToken is how many characters a token must have: less could be guessed.
const leastToken = 16

var tokenName = regexp.MustCompile(`^[A-Za-z0-9][A-Za-z0-9._@-]{0,62}$`)

// checkHTTP checks the API's listener and its tokens.
func checkHTTP(o *kind.Object[spec.Pipeline]) {
	h := &o.Spec.HTTP
	path := "spec.http.listen"
	if !o.Doc.OK(path) {
		return
	}
	if !isAddress(h.Listen, true) {
		o.Report(path, strictyaml.CodeInvalidValue, fmt.Sprintf("want host:port, got %q", h.Listen), "")
		return
	}
	switch {
	case isLoopback(h.Listen):
	case len(h.Tokens) == 0 && !o.Doc.Has("spec.http.tokens"):
		o.Warn(path, kind.CodeUnusual, "others can reach this address, and there are no tokens: only health and metrics are answered", "add http.tokens")
	case h.TLS == nil:
		o.Warn(path, kind.CodeUnusual, "tokens are sent in the clear to this address", "add http.tls, or put a proxy in front that encrypts")
	}
	o.NotEmpty("spec.http.tokens", len(h.Tokens), "delete the line to have no tokens")
	names, secrets := map[string]bool{}, map[string]bool{}
	for i, t := range h.Tokens {
		path := fmt.Sprintf("spec.http.tokens[%d]", i)
		if !o.Doc.OK(path) {
			continue
		}
		if t.Name != "" && !tokenName.MatchString(t.Name) {
			o.Report(path+".name", kind.CodeInvalidName, fmt.Sprintf("a name has letters, digits, '.', '_', '@' and '-' only, got %q", t.Name), "")
		}
		if names[t.Name] {
			o.Report(path+".name", kind.CodeDuplicateName, fmt.Sprintf("two tokens are named %q", t.Name), "who does something is known by this name")
		}
		names[t.Name] = true
		checkToken(o, path+".token", string(t.Token), secrets)
	}
}

// checkToken checks one token; it must not be in a message.
func checkToken(o *kind.Object[spec.Pipeline], path, token string, seen map[string]bool) {
	switch {
	case !o.Doc.OK(path) || token == "":
	case !o.Doc.Expanded(path):
		o.Report(path, strictyaml.CodeInvalidValue, "a token must not be written into the configuration", "write ${env:NAME} or ${file:/path}")
	case len(token) < leastToken:
		o.Report(path, strictyaml.CodeInvalidValue, fmt.Sprintf("the token has less than %d characters", leastToken), "make one with: openssl rand -hex 32")
	case seen[token]:
		o.Report(path, kind.CodeDuplicateItem, "two names have the same token", "")
	}
	seen[token] = true
}

// isLoopback reports whether only this machine can connect to a host:port.
func isLoopback(address string) bool {
	host, _, _ := net.SplitHostPort(address) // it is an address
	return host == "localhost" || net.ParseIP(host).IsLoopback()
}
