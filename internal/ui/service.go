package ui

import "net/http"

func (s *Server) service(*http.Request, *view) error { return errNotFound }

func (s *Server) serviceCharts(w http.ResponseWriter, r *http.Request) { http.NotFound(w, r) }
