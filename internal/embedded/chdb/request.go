package chdb

import (
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"regexp"
	"slices"
	"sort"
	"strconv"
	"strings"

	"github.com/ClickHouse/ch-go/compress"

	"github.com/flyball-io/flyball/internal/embedded/chdb/wire"
)

// request is one statement as a client sent it.
type request struct {
	statement statement
	body      io.Reader // rows behind statement.data; nil when there are none
	params    []Param
	settings  []setting
	database  string
	queryID   string
	format    string // default for the output
	revision  uint64 // of the Native format; 0 is the format of files
	compress  compress.Method
	framed    bool // answer in ClickHouse's compressed frames
	gzip      bool // answer in gzip
	readOnly  bool
	comment   string // marks the statement among the running ones; may be empty
}

type setting struct{ name, value string }

// Names in the URL that are not settings. Those with an empty action in
// apply are accepted and ignored: they are about users, sessions' ends and
// buffering, none of which exist here.
var ignoredParams = map[string]bool{
	"user": true, "password": true, "quota_key": true, "stacktrace": true, "buffer_size": true,
	"wait_end_of_query": true, "session_timeout": true, "session_check": true, "close_session": true,
	"query": true,
}

var settingName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_.]*$`)

// readRequest takes a request apart. Errors are of the client's making.
func (s *Server) readRequest(w http.ResponseWriter, r *http.Request) (*request, error) {
	values, err := url.ParseQuery(r.URL.RawQuery)
	if err != nil {
		return nil, newError(codeBadArguments, "BAD_ARGUMENTS", "the URL's query cannot be read: %v", err)
	}
	q := &request{
		database: r.Header.Get("X-ClickHouse-Database"),
		format:   r.Header.Get("X-ClickHouse-Format"),
		readOnly: r.Method != http.MethodPost,
		compress: compress.LZ4,
	}
	var decompress, wantGzip bool
	for name, list := range values {
		value := list[len(list)-1]
		switch {
		case name == "decompress":
			decompress = isTrue(value)
		case name == "enable_http_compression":
			wantGzip = isTrue(value)
		default:
			if err := q.apply(name, value); err != nil {
				return nil, err
			}
		}
	}
	q.gzip = wantGzip && strings.Contains(r.Header.Get("Accept-Encoding"), "gzip")
	// A map has no order; settings are applied in a fixed one so that the
	// same request always gives the same error.
	sort.Slice(q.settings, func(i, j int) bool { return q.settings[i].name < q.settings[j].name })
	sort.Slice(q.params, func(i, j int) bool { return q.params[i].Name < q.params[j].Name })
	r.Body = http.MaxBytesReader(w, r.Body, s.limits.MaxBodyBytes)
	body, err := openBody(r, decompress)
	if err != nil {
		return nil, err
	}
	return q, q.readStatement(values.Get("query"), body, s.limits.MaxStatementBytes)
}

// apply takes over one parameter of the URL.
func (q *request) apply(name, value string) (err error) {
	switch {
	case ignoredParams[name]:
	case name == "database":
		q.database = value
	case name == "query_id":
		q.queryID = value
	case name == "default_format":
		q.format = value
	case name == "compress":
		q.framed = isTrue(value)
	case name == "client_protocol_version":
		if q.revision, err = strconv.ParseUint(value, 10, 32); err != nil {
			return newError(codeBadArguments, "BAD_ARGUMENTS", "client_protocol_version %q is not a number", value)
		}
	case strings.HasPrefix(name, "param_"):
		q.params = append(q.params, Param{Name: strings.TrimPrefix(name, "param_"), Value: value})
	case name == "session_id", name == "role", strings.HasSuffix(name, "_structure"):
		return newError(codeNotImplemented, "NOT_IMPLEMENTED", "the embedded server has no sessions, roles or external tables (URL parameter %q)", name)
	case !settingName.MatchString(name):
		return newError(codeUnknownSetting, "UNKNOWN_SETTING", "Unknown setting %q", name)
	default:
		if name == "network_compression_method" {
			q.compress = compressionMethod(value)
		}
		q.settings = append(q.settings, setting{name, value})
	}
	return nil
}

func (q *request) hasSetting(name string) bool {
	return slices.ContainsFunc(q.settings, func(s setting) bool { return s.name == name })
}

func compressionMethod(name string) compress.Method {
	switch strings.ToUpper(name) {
	case "ZSTD":
		return compress.ZSTD
	case "NONE":
		return compress.None
	}
	return compress.LZ4
}

func isTrue(value string) bool { return value == "1" || strings.EqualFold(value, "true") }

// openBody undoes the compression of a request's body.
func openBody(r *http.Request, framed bool) (io.Reader, error) {
	if strings.HasPrefix(r.Header.Get("Content-Type"), "multipart/") {
		return nil, newError(codeNotImplemented, "NOT_IMPLEMENTED", "the embedded server takes no multipart forms (external tables)")
	}
	body := io.Reader(r.Body)
	switch encoding := r.Header.Get("Content-Encoding"); encoding {
	case "", "identity":
	case "gzip":
		zipped, err := gzip.NewReader(body)
		if err != nil {
			return nil, newError(codeBadArguments, "BAD_ARGUMENTS", "the body is not gzip: %v", err)
		}
		body = zipped
	default:
		return nil, newError(codeNotImplemented, "NOT_IMPLEMENTED", "the embedded server does not know Content-Encoding %q; use gzip, LZ4 or none", encoding)
	}
	if framed {
		body = wire.NewFrameReader(body)
	}
	return body, nil
}

// readStatement splits statement and rows. An insert with its statement in
// the URL leaves the body to be streamed; everything else is read whole.
func (q *request) readStatement(sql string, body io.Reader, limit int64) (err error) {
	if sql != "" {
		if q.statement, err = parseStatement(sql); err != nil {
			return err
		}
		if q.statement.insert {
			q.body = body
			return nil
		}
		sql += "\n"
	}
	rest, err := io.ReadAll(io.LimitReader(body, limit+1))
	if err != nil {
		return readError(err)
	}
	if int64(len(rest)) > limit {
		return newError(codeTooLarge, "TOO_MANY_BYTES", "a statement may have %d bytes at most", limit)
	}
	if len(rest) == 0 && sql != "" {
		return nil
	}
	q.statement, err = parseStatement(sql + string(rest))
	return err
}

func readError(err error) error {
	var large *http.MaxBytesError
	if errors.As(err, &large) {
		return newError(codeTooLarge, "TOO_MANY_BYTES", "a body may have %d bytes at most", large.Limit)
	}
	return newError(codeCannotReadAll, "CANNOT_READ_ALL_DATA", "%v", fmt.Errorf("cannot read body: %w", err))
}

// rows are what an insert writes: the end of the statement's text, then the
// body.
func (q *request) rows() io.Reader {
	if q.body == nil {
		return strings.NewReader(q.statement.data)
	}
	return io.MultiReader(strings.NewReader(q.statement.data), q.body)
}
