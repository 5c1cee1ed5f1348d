package ui

import (
	"net/http"

	"github.com/flyball-io/flyball/internal/api/access"
)

// Visitor is who looks at a page.
type Visitor struct {
	// Name of the person's token; empty without tokens, and forms ask for it.
	Name string
	// Operator is whether they may act, Session whether they can log out.
	Operator, Session bool
}

func visitorOf(r *http.Request) Visitor {
	id, ok := access.From(r.Context())
	if !ok {
		return Visitor{}
	}
	if id.Name == access.AnonymousName {
		return Visitor{Operator: id.Role.Allows(access.Operator)}
	}
	return Visitor{Name: id.Name, Operator: id.Role.Allows(access.Operator), Session: true}
}

// login shows the form for a token.
func (s *Server) login(w http.ResponseWriter, r *http.Request) {
	v := s.newView(r)
	v.Name, v.Title, v.Data = "login", "Log in", r.URL.Query().Get("next")
	s.answer(w, r, v, nil)
}
