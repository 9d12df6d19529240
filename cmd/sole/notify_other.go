//go:build !linux

package main

import (
	"errors"
	"time"

	"github.com/sole-run/sole"
)

const notifyWord = "_notify"

func notify([]string) int { return fail(errors.ErrUnsupported) }

func (n *notifier) wait() {}

func (o *runFlags) tellSkipped(string, *sole.BusyError, time.Time, []string) {}

func (o *runFlags) tellEnded(*notifier, *sole.Lock, sole.End, []string) {}

func userName() string { return "" }
