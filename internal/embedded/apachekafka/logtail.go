package apachekafka

import (
	"fmt"
	"io"
	"os"
	"strings"
)

// tailBytes bounds what is read of a log to find its last lines.
const tailBytes = 256 << 10

// readTail returns what the file at path holds from offset on, at most its last tailBytes.
func readTail(path string, offset int64) (string, error) {
	f, err := os.Open(path)
	if err != nil {
		return "", fmt.Errorf("cannot open log: %w", err)
	}
	defer f.Close()
	info, err := f.Stat()
	if err != nil {
		return "", fmt.Errorf("cannot read log: %w", err)
	}
	offset = max(offset, info.Size()-tailBytes)
	data, err := io.ReadAll(io.NewSectionReader(f, offset, tailBytes))
	if err != nil {
		return "", fmt.Errorf("cannot read log: %w", err)
	}
	return string(data), nil
}

// lastLines returns the last n lines of text without the final line end.
func lastLines(text string, n int) string {
	lines := strings.Split(strings.TrimRight(text, "\n"), "\n")
	return strings.Join(lines[max(0, len(lines)-n):], "\n")
}
