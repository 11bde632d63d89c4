package console

import (
	"bufio"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"golang.org/x/sys/unix"
)

// pty makes a terminal, and gives the side that somebody watches, and the path of the other side.
func pty(t *testing.T) (watcher *os.File, path string) {
	t.Helper()
	watcher, err := os.OpenFile("/dev/ptmx", os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { watcher.Close() })
	control, err := watcher.SyscallConn()
	if err != nil {
		t.Fatal(err)
	}
	var failed error
	if err := control.Control(func(file uintptr) {
		number, err := unix.IoctlGetInt(int(file), unix.TIOCGPTN)
		if err == nil {
			err = unix.IoctlSetPointerInt(int(file), unix.TIOCSPTLCK, 0)
		}
		path, failed = fmt.Sprintf("/dev/pts/%d", number), err
	}); err != nil || failed != nil {
		t.Fatal(err, failed)
	}
	// As PID 1 does, which keeps the console open. The settings of a terminal that nobody has open are lost.
	held, err := os.OpenFile(path, os.O_RDWR|unix.O_NOCTTY, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { held.Close() })
	return watcher, path
}

// readLine gives the next line that has a text, without the end of the line.
func readLine(t *testing.T, lines *bufio.Reader, text string) string {
	t.Helper()
	for {
		line, err := lines.ReadString('\n')
		if err != nil {
			t.Fatal(err)
		}
		if strings.Contains(line, text) {
			return strings.TrimRight(line, "\r\n")
		}
	}
}

// writeUntilLeftOut writes lines until the terminal takes no more.
func writeUntilLeftOut(t *testing.T, term *terminal) {
	t.Helper()
	for number := range 10_000 {
		began := time.Now()
		term.write(fmt.Sprintf("line %d %s", number, strings.Repeat("x", 1000)))
		if took := time.Since(began); took > time.Minute {
			t.Fatalf("line %d took %s", number, took)
		}
		if term.leftOut > 0 {
			return
		}
	}
	t.Fatal("the terminal takes everything")
}

func TestATerminalThatNobodyReadsDoesntHoldUpTheMachine(t *testing.T) {
	watcher, path := pty(t)
	term := &terminal{path: path, patience: 50 * time.Millisecond}
	done := make(chan struct{})
	go func() {
		defer close(done)
		writeUntilLeftOut(t, term)
		for range 1000 {
			term.write("left out")
		}
	}()
	select {
	case <-done:
	case <-time.After(2 * time.Minute):
		t.Fatal("a line waits for ever")
	}
	leftOut := term.leftOut
	if leftOut < 1000 {
		t.Errorf("%d lines are left out", leftOut)
	}

	lines := bufio.NewReader(watcher)
	drained := make(chan string, 1)
	go func() { drained <- readLine(t, lines, "left out") }()
	for term.leftOut > 0 { // what is tried is counted, too
		leftOut = term.leftOut
		term.write("it goes on")
		time.Sleep(10 * time.Millisecond)
	}
	if got, want := <-drained, fmt.Sprintf("twinhull: the console took no more lines: %d left out", leftOut); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	if got := readLine(t, lines, ""); got != "it goes on" {
		t.Errorf("got %q", got)
	}
}

// smallPipe makes a pipe that has room for 4 KiB, as a terminal's serial port has, and gives its reader.
func smallPipe(t *testing.T, path string) *os.File {
	t.Helper()
	if err := unix.Mkfifo(path, 0o600); err != nil {
		t.Fatal(err)
	}
	reader, err := os.OpenFile(path, os.O_RDWR, 0)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { reader.Close() })
	if size, err := unix.FcntlInt(reader.Fd(), unix.F_SETPIPE_SZ, 4096); err != nil || size != 4096 {
		t.Fatal(size, err)
	}
	return reader
}

func TestATerminalThatGoesOnTakesLongLinesAgain(t *testing.T) {
	path := filepath.Join(t.TempDir(), "console")
	reader := smallPipe(t, path)
	go func() { // as slow as a serial port
		for buffer := make([]byte, 1024); ; time.Sleep(50 * time.Millisecond) {
			if _, err := reader.Read(buffer); err != nil {
				return
			}
		}
	}()
	term := &terminal{path: path, patience: time.Minute, leftOut: 1}
	for deadline := time.Now().Add(5 * time.Second); term.leftOut > 0; time.Sleep(10 * time.Millisecond) {
		if time.Now().After(deadline) {
			t.Fatalf("the terminal stays stopped: %d lines are left out", term.leftOut)
		}
		term.write(strings.Repeat("x", 4090))
	}
}

func TestCtrlSDoesntStopTheConsole(t *testing.T) {
	const stop = "\x13"
	watcher, path := pty(t)
	term := &terminal{path: path, patience: time.Minute}
	if _, err := watcher.WriteString(stop); err != nil { // before the guest has come up
		t.Fatal(err)
	}
	if err := term.ignoreFlowControl(); err != nil {
		t.Fatal(err)
	}
	if _, err := watcher.WriteString(stop); err != nil {
		t.Fatal(err)
	}
	read := make(chan string, 1)
	go func() { read <- readLine(t, bufio.NewReader(watcher), "hello") }()
	term.write("hello")
	select {
	case <-read:
	case <-time.After(10 * time.Second):
		t.Fatal("nothing comes")
	}
}

func TestAFileThatHasNoDeadlinesIsWritten(t *testing.T) {
	path := filepath.Join(t.TempDir(), "console")
	if err := os.WriteFile(path, nil, 0o600); err != nil {
		t.Fatal(err)
	}
	term := &terminal{path: path, patience: time.Second}
	term.write("one")
	term.write("two")
	if got, err := os.ReadFile(path); err != nil || string(got) != "one\ntwo\n" {
		t.Errorf("got %q, %v", got, err)
	}
}
