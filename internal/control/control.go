// Package control is the protocol of a holder's socket, both ends of it: how to listen
// so that there is never a second one, how to ask, and how to answer. The protocol is written
// down in docs/control.md.
//
// It works on Unix domain sockets, by path or abstract, without package net, whose
// initialisation each start of sole would pay for. It knows no lock, no record and no
// name's meaning: a guard is a file that it locks, or the caller's business.
//
// Peers are known by what the kernel says of them (SO_PEERCRED), at both ends. Whatever they
// send is bounded in size, number and time ([Limits]).
package control

import "time"

// Version is the version of the protocol that a server begins with.
const Version = 1

// What is fixed by the protocol.
const (
	// MaxLine is how long a line may be, with its end.
	MaxLine = 4096
	// MaxFrame is how much data a frame may carry.
	MaxFrame = 128 << 10
	// MaxCall is how much the words, the directory and the environment of a call may
	// have in all, and MaxItems how many of them there may be.
	MaxCall  = 1 << 20
	MaxItems = 4096
	// Window is how much standard input may be sent before it is asked for.
	Window = 64 << 10
)

// perItem is what an item of a call is counted with, besides its bytes.
const perItem = 64

// Limits bound what clients can take from a server.
type Limits struct {
	// Conns is how many connections there are at most, and PerUser how many of
	// one user. Beyond that the one that has waited for longest is closed; if all are at
	// work, the new one is told so.
	Conns, PerUser int
	// Request is the time that a client has to send a whole request.
	Request time.Duration
	// Write is the time that it has to take a frame.
	Write time.Duration
	// Call is the longest time that a call may take, 0 for any.
	Call time.Duration
	// Pending is how much the calls of all connections may have in all.
	Pending int64
}

// DefaultLimits are used where a limit is zero.
var DefaultLimits = Limits{
	Conns: 64, PerUser: 56,
	Request: 10 * time.Second,
	Write:   30 * time.Second,
	Pending: 16 << 20,
}

func (l Limits) withDefaults() Limits {
	def := func(v *int, d int) {
		if *v == 0 {
			*v = d
		}
	}
	def(&l.Conns, DefaultLimits.Conns)
	def(&l.PerUser, min(DefaultLimits.PerUser, l.Conns))
	if l.Request == 0 {
		l.Request = DefaultLimits.Request
	}
	if l.Write == 0 {
		l.Write = DefaultLimits.Write
	}
	if l.Pending == 0 {
		l.Pending = DefaultLimits.Pending
	}
	return l
}
