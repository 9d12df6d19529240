package control

import "runtime"

func exitGoroutine() { runtime.Goexit() }
