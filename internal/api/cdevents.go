package api

import (
	"fmt"
	"net/http"
	"net/url"
	"strings"

	"github.com/flyball-io/flyball"
)

// cdEvent is the part of a CDEvent that says which version of what was deployed.
type cdEvent struct {
	Context struct {
		ID   string `json:"id"`
		Type string `json:"type"`
	} `json:"context"`
	Subject struct {
		ID      string `json:"id"`
		Content struct {
			ArtifactID string `json:"artifactId"`
		} `json:"content"`
	} `json:"subject"`
}

// deployed begins analyses for dev.cdevents.service.{deployed,upgraded}: of every
// canary of the configuration, or of the one that the query parameter names. Other
// events change nothing.
func (s *Server) deployed(w http.ResponseWriter, r *http.Request) {
	var body struct {
		cdEvent
		Data *cdEvent `json:"data"` // in a structured CloudEvent
	}
	if !readJSON(w, r, &body) {
		return
	}
	e := body.cdEvent
	if body.Data != nil {
		e = *body.Data
	}
	ids := []string{}
	if strings.HasPrefix(e.Context.Type, "dev.cdevents.service.deployed.") || strings.HasPrefix(e.Context.Type, "dev.cdevents.service.upgraded.") {
		entity := e.Subject.ID[strings.LastIndexByte(e.Subject.ID, '/')+1:]
		for _, c := range s.Canaries {
			if only := r.URL.Query().Get("canary"); only != "" && only != c.Name {
				continue
			}
			q := flyball.CanaryRequest{ID: strings.ReplaceAll(fmt.Sprintf("cdevents-%s-%s", e.Context.ID, c.Name), "/", "_"),
				Canary: c.Name, Entity: entity, Version: versionOf(e.Subject.Content.ArtifactID), By: "cdevents"}
			if err := s.start(r.Context(), &q); err != nil {
				refuseError(w, err)
				return
			}
			ids = append(ids, q.ID)
		}
	}
	reply(w, http.StatusAccepted, map[string]any{"started": ids})
}

// versionOf returns the version of a package URL, its tag where it has one:
// pkg:oci/shop/cart@sha256:…?tag=2.0 is 2.0.
func versionOf(purl string) string {
	rest, query, _ := strings.Cut(purl, "?")
	if values, err := url.ParseQuery(query); err == nil && values.Get("tag") != "" {
		return values.Get("tag")
	}
	_, version, _ := strings.Cut(rest, "@")
	if plain, err := url.PathUnescape(version); err == nil {
		return plain
	}
	return version
}
