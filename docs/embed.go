// Package docs holds what the binary serves of its documentation.
package docs

import _ "embed" // openapi.json

// OpenAPI describes the HTTP API, as OpenAPI 3.1 in JSON.
//
//go:embed openapi.json
var OpenAPI []byte
