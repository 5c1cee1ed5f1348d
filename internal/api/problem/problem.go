// Package problem writes the errors of the HTTP API as RFC 9457 wants them:
// application/problem+json.
package problem

import (
	"encoding/json"
	"net/http"
)

// ContentType is the media type of a problem.
const ContentType = "application/problem+json"

// Problem is one error. Its type is always about:blank, so that Title is the phrase of
// the status, and Detail says what happened.
type Problem struct {
	// Type is about:blank.
	Type string `json:"type"`
	// Title is the phrase of the status, such as Not Found.
	Title string `json:"title"`
	// Status is the code of the answer.
	Status int `json:"status"`
	// Detail says what is wrong with this request.
	Detail string `json:"detail"`
	// Hint says what to do about it, where that is known.
	Hint string `json:"hint,omitempty"`
	// Instance is the path that was asked for.
	Instance string `json:"instance,omitempty"`
}

// Write answers a request with a problem; hint may be empty.
func Write(w http.ResponseWriter, r *http.Request, status int, detail, hint string) {
	w.Header().Set("Content-Type", ContentType)
	w.WriteHeader(status)
	e := json.NewEncoder(w)
	e.SetEscapeHTML(false)
	_ = e.Encode(Problem{Type: "about:blank", Title: http.StatusText(status), Status: status, Detail: detail, Hint: hint,
		Instance: r.URL.Path}) // else the client went away
}
