//go:build linux

package instance_test

import (
	"context"
	"errors"
	"fmt"
	"log"
	"os"
	"strings"

	"github.com/sole-run/sole/instance"
)

func ExampleStart() {
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	handle := func(_ context.Context, m *instance.Message) error {
		fmt.Fprintln(m.Stdout, "got:", strings.Join(m.Words, " "))
		return instance.ExitCode(3)
	}

	first, err := instance.Start(ctx, "greeter", handle, instance.Dir(dir))
	if err != nil {
		log.Fatal(err)
	}
	defer first.Close()

	// What a later start of the program would see:
	_, err = instance.Start(ctx, "greeter", handle, instance.Dir(dir), instance.Words("good", "morning"))
	var answered *instance.AnsweredError
	if errors.As(err, &answered) {
		fmt.Printf("%sexit code %d\n", answered.Stdout, answered.Code)
	}
	// Output:
	// got: good morning
	// exit code 3
}

func ExampleSend() {
	dir, err := os.MkdirTemp("", "example-")
	if err != nil {
		log.Fatal(err)
	}
	defer os.RemoveAll(dir)
	ctx := context.Background()
	first, err := instance.Start(ctx, "counter", func(_ context.Context, m *instance.Message) error {
		_, err := fmt.Fprintln(m.Stdout, len(m.Words), "words")
		return err
	}, instance.Dir(dir))
	if err != nil {
		log.Fatal(err)
	}
	defer first.Close()

	code, err := instance.Send(ctx, "counter", []string{"a", "b"}, instance.Dir(dir), instance.Output(os.Stdout, os.Stderr))
	fmt.Println(code, err)
	// Output:
	// 2 words
	// 0 <nil>
}
