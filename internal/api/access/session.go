package access

import (
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/json"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/flyball-io/flyball/internal/api/problem"
)

// sessionCookie is the name of the cookie, sessionLength how long it is good for.
const (
	sessionCookie = "flyball_session"
	sessionLength = 12 * time.Hour
)

// seal returns the value of a cookie: the token's name, the end, and a code that only
// who has the token can make. Every process with the same tokens accepts it, and none
// when the token is no longer configured.
func (t *token) seal(until time.Time) string {
	said := base64.RawURLEncoding.EncodeToString([]byte(t.Name)) + "." + strconv.FormatInt(until.Unix(), 10)
	return said + "." + base64.RawURLEncoding.EncodeToString(t.code(said))
}

func (t *token) code(said string) []byte {
	h := hmac.New(sha256.New, t.hash[:])
	h.Write([]byte("flyball session\n" + said)) // never fails
	return h.Sum(nil)
}

// session returns the token of a cookie's value; nil when it is not one, or over.
func (g *Guard) session(value string) *token {
	at := strings.LastIndexByte(value, '.')
	if at < 0 {
		return nil
	}
	said, sum := value[:at], value[at+1:]
	code, err := base64.RawURLEncoding.DecodeString(sum)
	name64, end, found := strings.Cut(said, ".")
	name, nameErr := base64.RawURLEncoding.DecodeString(name64)
	until, endErr := strconv.ParseInt(end, 10, 64)
	if err != nil || !found || nameErr != nil || endErr != nil || g.now().Unix() >= until {
		return nil
	}
	for i := range g.tokens {
		if t := &g.tokens[i]; t.Name == string(name) && hmac.Equal(code, t.code(said)) {
			return t
		}
	}
	return nil
}

// Login answers POST /login: the field token of a form, or of a JSON object. A form is
// sent on to its field next, a path of this server; JSON gets the identity.
func (g *Guard) Login(w http.ResponseWriter, r *http.Request) {
	r.Body = http.MaxBytesReader(w, r.Body, 1<<16)
	isJSON := strings.HasPrefix(r.Header.Get("Content-Type"), "application/json")
	var said struct {
		Token string `json:"token"`
		Next  string `json:"next"`
	}
	if isJSON {
		if err := json.NewDecoder(r.Body).Decode(&said); err != nil {
			problem.Write(w, r, http.StatusBadRequest, "cannot read the request: "+err.Error(), `send {"token": "…"}`)
			return
		}
	} else {
		said.Token, said.Next = r.PostFormValue("token"), r.PostFormValue("next")
	}
	if !g.NeedsLogin() {
		problem.Write(w, r, http.StatusConflict, "there are no tokens: nobody can log in", "configure http.tokens")
		return
	}
	t := g.find(said.Token)
	if t == nil {
		g.refuse(w, r, g.failed(r, "the token is none of those configured"))
		return
	}
	until := g.now().Add(sessionLength)
	setCookie(w, r, t.seal(until), int(sessionLength.Seconds()))
	if !isJSON {
		http.Redirect(w, r, localPath(said.Next), http.StatusSeeOther)
		return
	}
	w.Header().Set("Content-Type", "application/json")
	_ = json.NewEncoder(w).Encode(map[string]any{"name": t.Name, "role": t.Role, "expires_at": until.UTC().Format(time.RFC3339)}) // else the client went away
}

// Logout answers POST /logout: the browser forgets its session.
func (g *Guard) Logout(w http.ResponseWriter, r *http.Request) {
	setCookie(w, r, "", -1)
	http.Redirect(w, r, "/", http.StatusSeeOther)
}

func setCookie(w http.ResponseWriter, r *http.Request, value string, seconds int) {
	http.SetCookie(w, &http.Cookie{Name: sessionCookie, Value: value, Path: "/", MaxAge: seconds, HttpOnly: true, SameSite: http.SameSiteStrictMode,
		Secure: r.TLS != nil || r.Header.Get("X-Forwarded-Proto") == "https"})
}

// localPath returns a path of this server, / for all else: an address of another server
// must not be reached by way of a login.
func localPath(next string) string {
	if len(next) < 1 || next[0] != '/' || len(next) > 1 && (next[1] == '/' || next[1] == '\\') || strings.ContainsAny(next, "\r\n\t") {
		return "/"
	}
	return next
}
