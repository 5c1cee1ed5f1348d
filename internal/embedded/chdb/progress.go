package chdb

import (
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"time"
)

// showProgress says how long a download has taken until stop is called, and
// how much of it is on disk: npm itself tells nothing about its progress.
func showProgress(w io.Writer, dir string) (stop func()) {
	every, format, end := 5*time.Second, "  still downloading: %s%s\n", ""
	if isTerminal(w) {
		every, format, end = time.Second, "\r  downloading: %s%s ", "\n"
	}
	done := make(chan struct{})
	var wg sync.WaitGroup
	wg.Add(1)
	go func() {
		defer wg.Done()
		start := time.Now()
		tick := time.NewTicker(every)
		defer tick.Stop()
		for shown := false; ; shown = true {
			select {
			case <-done:
				if shown {
					fmt.Fprint(w, end)
				}
				return
			case <-tick.C:
				fmt.Fprintf(w, format, time.Since(start).Round(time.Second), sizeNote(dir))
			}
		}
	}()
	return func() {
		close(done)
		wg.Wait()
	}
}

func sizeNote(dir string) string {
	var total int64
	filepath.WalkDir(dir, func(_ string, d fs.DirEntry, err error) error {
		if err == nil && d.Type().IsRegular() {
			if info, err := d.Info(); err == nil {
				total += info.Size()
			}
		}
		return nil
	})
	if total == 0 {
		return ""
	}
	return fmt.Sprintf(", %d MB on disk", total>>20)
}

func isTerminal(w io.Writer) bool {
	f, ok := w.(*os.File)
	if !ok {
		return false
	}
	info, err := f.Stat()
	return err == nil && info.Mode()&os.ModeCharDevice != 0
}
