// Package console writes the guest's own lines to the machine's log.
package console

import (
	"fmt"
	"os"
	"sync"
	"time"
)

const device = "/dev/console"

var lock sync.Mutex

// Print writes one line, with the guest's own prefix.
func Print(format string, values ...any) {
	Line("twinhull: " + fmt.Sprintf(format, values...))
}

// Line writes one line as it is. A console that can't be opened is no reason to stop.
func Line(line string) {
	lock.Lock()
	defer lock.Unlock()
	out, err := os.OpenFile(device, os.O_WRONLY|os.O_APPEND, 0)
	if err != nil {
		fmt.Fprintln(os.Stderr, line)
		return
	}
	defer out.Close()
	fmt.Fprintln(out, line) // the terminal makes \r\n of it
}

// Fatal is for PID 1, whose end would be a kernel panic with no word: it says why, and waits to be read.
// The machine starts anew some seconds after the panic (kernel.panic), unless a pvpanic device has told of it.
func Fatal(err error) {
	Print("%v", err)
	Print("the machine can't start; it stays on for a minute so that this can be read")
	time.Sleep(time.Minute)
	os.Exit(1)
}
