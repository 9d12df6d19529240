// Package locktable reads what the kernel tells of locks by flock(2) and fcntl(2):
// /proc/locks and /proc/PID/fdinfo. Reading them takes no lock.
//
// /proc/locks names the process that took a lock, which may have ended while a
// process that inherited the descriptor still holds it; and it leaves out what was
// taken in a pid namespace that cannot be seen from here. fdinfo names whoever holds
// the descriptor now, but only of processes that the caller may look into.
package locktable
