package chdb

import (
	"compress/gzip"
	"crypto/rand"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strconv"
	"strings"

	"github.com/flyball-io/flyball/internal/embedded/chdb/wire"
)

// drainLimit is how much of a refused body is read before the answer.
const drainLimit = 256 << 20

const plainText = "text/plain; charset=UTF-8"

func (s *Server) routes() http.Handler {
	mux := http.NewServeMux()
	ok := func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", plainText)
		io.WriteString(w, "Ok.\n")
	}
	mux.HandleFunc("/ping", ok)
	mux.HandleFunc("/{$}", func(w http.ResponseWriter, r *http.Request) {
		if r.Method == http.MethodGet && r.URL.Query().Get("query") == "" {
			ok(w, r)
			return
		}
		s.serveStatement(w, r)
	})
	mux.HandleFunc("/", func(w http.ResponseWriter, r *http.Request) {
		http.Error(w, "There is no handle "+r.URL.Path+"\n\nUse / or /ping for health checks.\nSend queries from your program with POST method or GET /?query=...", http.StatusNotFound)
	})
	return ownPagesOnly(mux)
}

// ownPagesOnly keeps web pages of other sites from a server that asks for no
// password: neither a request across sites may reach it, reading or writing,
// nor one to a name that merely resolves to this machine (DNS rebinding).
func ownPagesOnly(next http.Handler) http.Handler {
	inner := http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		host := r.Host
		if h, _, err := net.SplitHostPort(host); err == nil {
			host = h
		}
		site := r.Header.Get("Sec-Fetch-Site")
		switch {
		case host != "localhost" && net.ParseIP(strings.Trim(host, "[]")) == nil:
			http.Error(w, "this server answers requests for localhost only", http.StatusForbidden)
		case site != "" && site != "same-origin" && site != "none":
			http.Error(w, "this server answers no requests from other sites", http.StatusForbidden)
		default:
			next.ServeHTTP(w, r)
		}
	})
	return http.NewCrossOriginProtection().Handler(inner)
}

func (s *Server) serveStatement(w http.ResponseWriter, r *http.Request) {
	header := w.Header()
	header.Set("X-ClickHouse-Server-Display-Name", "flyball-embedded")
	header.Set("X-ClickHouse-Timezone", s.timezone)
	q, err := s.readRequest(w, r)
	if err == nil {
		if q.queryID == "" {
			q.queryID = rand.Text()
		}
		if !q.hasSetting("log_comment") {
			q.comment = rand.Text()
		}
		header.Set("X-ClickHouse-Query-Id", q.queryID)
		err = s.answer(w, r, q)
	}
	if err != nil {
		// A client that is still sending would see a broken connection and not
		// the answer.
		io.CopyN(io.Discard, r.Body, drainLimit)
		s.fail(w, err)
	}
}

// answer runs the statement and writes its result. It has written nothing
// when it returns an error.
func (s *Server) answer(w http.ResponseWriter, r *http.Request, q *request) error {
	release, err := s.admit(r.Context())
	if err != nil {
		return err
	}
	result, format, err := s.run(r.Context(), q)
	release()
	if err != nil {
		return err
	}
	data := result.Data
	if strings.EqualFold(format, "Native") {
		if data, err = wire.NativeAt(data, q.revision); err != nil {
			return typeError(err)
		}
	}
	if q.framed {
		if data, err = wire.CompressFrames(data, q.compress); err != nil {
			return err
		}
	}
	header := w.Header()
	header.Set("X-ClickHouse-Format", format)
	header.Set("Content-Type", contentType(format))
	header.Set("X-ClickHouse-Summary", summary(result))
	if q.gzip {
		header.Set("Content-Encoding", "gzip")
		zipped := gzip.NewWriter(w)
		zipped.Write(data)
		zipped.Close()
		return nil
	}
	header.Set("Content-Length", strconv.Itoa(len(data)))
	w.Write(data)
	return nil
}

func firstOf(list ...string) string {
	for _, s := range list {
		if s != "" {
			return s
		}
	}
	return ""
}

// typeError tells a client what to do about a type that cannot be sent.
func typeError(err error) error {
	var unknown *wire.TypeError
	if !errors.As(err, &unknown) {
		return err
	}
	return newError(codeNotImplemented, "NOT_IMPLEMENTED", "the embedded server cannot send column %q of type %s in the Native format: %v; convert it in the query",
		unknown.Column, unknown.Type, unknown.Err)
}

func summary(r Result) string {
	return fmt.Sprintf(`{"read_rows":"%d","read_bytes":"%d","written_rows":"%d","written_bytes":"%d","total_rows_to_read":"0","result_rows":"%d","result_bytes":"%d","elapsed_ns":"%d"}`,
		r.ReadRows, r.ReadBytes, r.WrittenRows, r.WrittenBytes, r.Rows, len(r.Data), r.Elapsed.Nanoseconds())
}

func contentType(format string) string {
	f := strings.ToLower(format)
	switch {
	case strings.HasPrefix(f, "jsoneachrow"), strings.HasPrefix(f, "jsoncompacteachrow"):
		return "application/x-ndjson; charset=UTF-8"
	case strings.HasPrefix(f, "json"):
		return "application/json; charset=UTF-8"
	case strings.HasPrefix(f, "tabseparated"), strings.HasPrefix(f, "tsv"):
		return "text/tab-separated-values; charset=UTF-8"
	case strings.HasPrefix(f, "csv"):
		return "text/csv; charset=UTF-8; header=" + map[bool]string{true: "present", false: "absent"}[strings.Contains(f, "withnames")]
	case f == "native", strings.HasPrefix(f, "rowbinary"), f == "parquet", strings.HasPrefix(f, "arrow"), f == "orc", f == "avro":
		return "application/octet-stream"
	}
	return plainText
}

// fail answers with an exception in the form of ClickHouse's HTTP interface.
func (s *Server) fail(w http.ResponseWriter, err error) {
	var raised *Error
	if !errors.As(err, &raised) {
		raised = &Error{Code: 1002, Message: err.Error() + " (UNKNOWN_EXCEPTION)"}
	}
	header := w.Header()
	header.Set("Content-Type", plainText)
	header.Set("X-ClickHouse-Exception-Code", strconv.Itoa(raised.Code))
	w.WriteHeader(statusOf(raised.Code))
	fmt.Fprintf(w, "%s (version %s (embedded))\n", raised.Error(), s.version)
}

// statusOf gives the HTTP status that ClickHouse's HTTP interface has for an
// error code: a 4xx where the request is at fault, 500 otherwise.
func statusOf(code int) int {
	switch code {
	case 46, 47, 50, 56, 60, 63, codeUnknownFormat, 81, codeUnknownSetting: // unknown function, identifier, type, engine, table, …
		return http.StatusNotFound
	case 6, 25, 26, 27, codeCannotReadAll, codeBadArguments, 38, 41, 42, 43, 44, 53, codeSyntaxError, 69, 70, 72, 117, 130, 321, 456, 457:
		return http.StatusBadRequest
	case codeNotImplemented:
		return http.StatusNotImplemented
	case codeTooLarge:
		return http.StatusRequestEntityTooLarge
	case codeTooMany:
		return http.StatusServiceUnavailable
	}
	return http.StatusInternalServerError
}
