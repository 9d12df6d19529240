// Package sole lets only one instance of something run on a host: one holder of a
// name at a time, under any number of starts at once and whatever is killed when.
//
//	lock, err := sole.TryAcquire("nightly")
//	var busy *sole.BusyError
//	if errors.As(err, &busy) {
//		log.Fatalf("nightly already runs: pid %d since %s", busy.Holder.PID, busy.Holder.StartedAt)
//	}
//	if err != nil {
//		log.Fatal(err)
//	}
//	defer lock.Release()
//
// A name is held by flock(2) on a file of its own, so the kernel frees it when its
// holder ends, however it ends. Nothing is ever freed because of a pid, an age or a
// record that somebody wrote: these only say who holds a name. The form of the files is
// in docs/protocol.md, and the command `sole` uses the same names.
//
// # Waiting
//
// [Acquire] waits. Those that wait get the name in the order in which they came, and
// [TryAcquire] never overtakes them. [Queue] lets only one wait, [Replace] ends the holder,
// [Shared] and [Slots] let several hold a name at the same time. docs/waiting.md says who is
// served when.
//
// # What is not promised
//
// Names exclude each other on one host, or wherever the directory's filesystem shares
// its locks. They are advisory: a program that does not ask is not stopped. Whoever
// deletes a lock file that is held is noticed by a holder that watches ([Do], [Lock.Check],
// `sole run`), which puts the file back; a start in between is refused where the old holder can
// be seen in /proc, and gets in where it cannot (another user's processes, another
// pid namespace).
//
// A Lock belongs to the process, not to a goroutine, and is safe for concurrent use.
// The package starts no goroutine that outlives the call or the Lock it belongs to,
// prints nothing, and never exits. To cancel a wait it gives one unused
// real-time signal a handler that does nothing.
//
// Linux on amd64 and arm64 is supported; elsewhere every function returns an error that
// is [errors.ErrUnsupported].
package sole
