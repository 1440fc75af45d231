package command

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/signal"
)

// Exit codes.
const (
	exitOK          = 0
	exitInternal    = 1
	exitUser        = 2
	exitInterrupted = 130 // 128 + SIGINT, as shells have it
)

// interrupted is the error of a run that Ctrl-C cut short.
type interrupted struct{ error }

func (e interrupted) Unwrap() error { return e.error }

var errInterrupted = interrupted{errors.New("interrupted")}

// untilInterrupt returns a context that Ctrl-C cancels. From then on Ctrl-C
// kills, as usual.
func untilInterrupt() (ctx context.Context, stop func()) {
	ctx, stop = signal.NotifyContext(context.Background(), os.Interrupt)
	context.AfterFunc(ctx, stop)
	return ctx, stop
}

type userError struct{ error }

func (userError) UserError() bool { return true }

func (e userError) Unwrap() error { return e.error }

// UserError marks err as one that the user can mend: exit code 2.
func UserError(err error) error { return userError{err} }

func userErrorf(format string, args ...any) error { return userError{fmt.Errorf(format, args...)} }

// marked is what a user's error is known by, in every package.
type marked interface {
	error
	UserError() bool
}

func exitCode(err error) int {
	if err == nil {
		return exitOK
	}
	if _, ok := errors.AsType[interrupted](err); ok {
		return exitInterrupted
	}
	if m, ok := errors.AsType[marked](err); ok && m.UserError() {
		return exitUser
	}
	return exitInternal
}
