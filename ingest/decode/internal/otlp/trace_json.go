package otlp

import "encoding/hex"

// TraceID reads the id of a trace, which OTLP's JSON has in hex and not in base64, into
// the given memory. What is none is nil: it costs nothing but that it cannot be shown.
func (j *JSON) TraceID(into *[16]byte) ([]byte, error) {
	s, ok, err := j.String()
	if !ok || err != nil || len(s) != 2*len(into) {
		return nil, err
	}
	if _, err := hex.Decode(into[:], s); err != nil {
		return nil, nil
	}
	return into[:], nil
}
