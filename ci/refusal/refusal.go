// Package refusal is the one kind of error that means "a rule forbids this, or the
// call was wrong, and nothing was written": the command ends with exit code 2.
// Every other error means that something failed and a rerun may help (exit code 1).
//
// It holds no rules itself; they stand where their subject is.
package refusal

import (
	"errors"
	"fmt"
	"strings"

	"github.com/agext/levenshtein"
)

// Error is a refusal. Its text says what was attempted, on what, what was found and what to do.
type Error struct {
	text  string
	cause error
}

// New makes a refusal; the format is that of fmt.Errorf, with %w for a cause.
func New(format string, args ...any) error {
	err := fmt.Errorf(format, args...)
	return &Error{text: err.Error(), cause: errors.Unwrap(err)}
}

// Error gives the text.
func (e *Error) Error() string { return e.text }

// Unwrap gives the cause, or nil.
func (e *Error) Unwrap() error { return e.cause }

// Is tells whether err is, or wraps, a refusal.
func Is(err error) bool {
	var refused *Error
	return errors.As(err, &refused)
}

// Nearest is the name that was probably meant, or nothing where none is close.
func Nearest(name string, names []string) string {
	best, least := "", max(2, len(name)/3)+1
	for _, candidate := range names {
		if d := levenshtein.Distance(strings.ToLower(name), strings.ToLower(candidate), nil); d < least {
			best, least = candidate, d
		}
	}
	return best
}

// Meant is a hint such as `; did you mean "x"?`, or nothing where no name is close.
func Meant(name string, names []string) string {
	if near := Nearest(name, names); near != "" {
		return fmt.Sprintf("; did you mean %q?", near)
	}
	return ""
}
