//go:build !linux

package main

import (
	"errors"

	"github.com/sole-run/sole/internal/history"
)

type past struct{}

func openPast(string) (*past, error)     { return nil, errors.ErrUnsupported }
func (p *past) path() string             { return "" }
func (p *past) names() ([]string, error) { return nil, errors.ErrUnsupported }
func (p *past) read(string, func(*history.Line)) (f history.Found, err error) {
	return f, errors.ErrUnsupported
}
func (p *past) readBack(string, func(*history.Line) bool) (f history.Found, err error) {
	return f, errors.ErrUnsupported
}
