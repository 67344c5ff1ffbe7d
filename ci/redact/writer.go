package redact

import (
	"io"
	"os"
	"sync"
)

// Writer passes on what is written to it, without secrets, at once: only the end of what was written is held back, and only while it may be the beginning of a
// secret. Flush gives out what is held. It may be used by several goroutines; what each writes at a time should not end within a secret then.
type Writer struct {
	secrets *Secrets
	to      io.Writer

	mu   sync.Mutex
	text []byte // the last of what is written already, then what is held back
	past int    // length of the former
}

const (
	// looksBack is as much of what is written already as tells what follows: a scheme before ://, or a keyword.
	looksBack = 64
	// longestHeld bounds what is held back, in bytes. What is longer is no secret of any form, unless a known one is.
	longestHeld = 2 * longestValue
)

// Writer writes to another one, such as standard output.
func (s *Secrets) Writer(to io.Writer) *Writer { return &Writer{secrets: s, to: to} }

// Write takes all of p, and fails where the writer behind it does.
func (w *Writer) Write(p []byte) (int, error) {
	w.mu.Lock()
	defer w.mu.Unlock()
	w.text = append(w.text, p...)
	if err := w.pass(false); err != nil {
		return 0, err
	}
	return len(p), nil
}

// Flush writes what is held back: the program ends.
func (w *Writer) Flush() error {
	w.mu.Lock()
	defer w.mu.Unlock()
	return w.pass(true)
}

func (w *Writer) pass(final bool) error {
	text := string(w.text)
	found, open := w.secrets.scan(text, final)
	if len(text)-open > max(longestHeld, 2*w.secrets.longest()) {
		found, open = w.secrets.scan(text, true)
	}
	open = max(open, w.past)
	clean := replaced(text, w.past, open, found)
	keep := max(0, open-looksBack)
	w.text, w.past = append(w.text[:0], text[keep:]...), open-keep
	if clean == "" {
		return nil
	}
	_, err := io.WriteString(w.to, clean)
	return err
}

func (s *Secrets) longest() int {
	s.mu.RLock()
	defer s.mu.RUnlock()
	if len(s.forms) == 0 {
		return 0
	}
	return len(s.forms[0])
}

// WriteJSON writes a whole JSON text: only its strings are looked at, so it stays JSON whatever the secrets are.
func (w *Writer) WriteJSON(content []byte) error {
	if err := w.Flush(); err != nil {
		return err
	}
	_, err := w.to.Write(w.secrets.JSON(content))
	return err
}

// Fd is the file descriptor behind it, by which a terminal is known; where there is none it is that of no file.
func (w *Writer) Fd() uintptr {
	if f, ok := w.to.(*os.File); ok {
		return f.Fd()
	}
	return ^uintptr(0)
}
