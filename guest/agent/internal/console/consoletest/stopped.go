// Package consoletest gives tests a console.
package consoletest

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/console"
)

// Stopped has lines go to a pipe that is full, and whose reader reads nothing. Each line then waits for the whole of `patience`,
// or until the test ends.
func Stopped(t *testing.T, patience time.Duration) {
	t.Helper()
	path := filepath.Join(t.TempDir(), "console")
	reader := Pipe(t, path)
	Fill(t, path)
	console.Use(path, patience)
	t.Cleanup(func() {
		reader.Close() // what waits for the pipe gets an error
		console.Use(os.DevNull, 0)
	})
}

// Pipe makes a named pipe, and opens it for reading.
func Pipe(t *testing.T, path string) *os.File {
	t.Helper()
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDONLY|unix.O_NONBLOCK, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	return reader
}

// Fill writes to a pipe or a terminal until that takes no more.
func Fill(t *testing.T, path string) {
	t.Helper()
	file, err := unix.Open(path, unix.O_WRONLY|unix.O_NONBLOCK|unix.O_NOCTTY|unix.O_CLOEXEC, 0)
	if err != nil {
		t.Fatal(err)
	}
	defer unix.Close(file)
	for _, size := range []int{4096, 1} {
		for err = nil; err == nil; {
			_, err = unix.Write(file, make([]byte, size))
		}
		if err != unix.EAGAIN {
			t.Fatal(err)
		}
	}
}
