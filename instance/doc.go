// Package instance makes a program that runs once: its first start serves, and every
// later one sends the first its words and gets an answer.
//
//	func main() {
//		first, err := instance.Start(ctx, "my-editor", handle)
//		var answered *instance.AnsweredError
//		if errors.As(err, &answered) { // another one runs, and has our words
//			os.Exit(answered.Code)
//		}
//		if err != nil {
//			log.Fatal(err)
//		}
//		defer first.Close()
//		…
//		<-first.Done()
//	}
//
// The first holds the name as package sole does, by a lock of the kernel, and listens at a
// socket beside the lock file. When it ends, however it ends, the next start is the first,
// and there is nothing to clean. `sole ls`, `status` and `stop` know it, and `sole send NAME
// WORD…` talks to it from a shell. docs/control.md describes what is said on the socket.
//
// # What is sent
//
// The words (os.Args[1:]), the working directory, the variables that [Env] names, and what
// [Stdin] reads. The handler writes to the sender's output and sets its exit code. Handlers
// run at the same time, one for each message. A handler's panic ends that message and is told
// to the sender; the first goes on.
//
// # What is not promised
//
// A message is handled at most once. If the first dies while it handles one, the sender gets
// a [*LostError] and cannot know how much was done. If it dies before, the sender becomes the first.
//
// A handler that does not heed its context cannot be ended: it keeps a connection, and
// [First.Close] waits for it.
//
// A user has his own names, so each user has his own first. Messages are taken from the same user and
// from root. A program in a container that has the directory, but another pid namespace, is
// the same program.
//
// Whoever deletes both the lock file and the socket of a first makes room for a second.
//
// The package starts no goroutine that outlives the call or the First it belongs to (but see
// [Stdin]), prints nothing, and never exits. It works on Linux; elsewhere the error is
// [errors.ErrUnsupported].
package instance
