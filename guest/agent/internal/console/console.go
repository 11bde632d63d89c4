// Package console writes the guest's own lines to the machine's log.
package console

import (
	"fmt"
	"os"
	"sync/atomic"
	"time"
)

const device = "/dev/console"

// inUse is the terminal that lines go to.
var inUse atomic.Pointer[terminal]

func init() { Use(device, patience) }

// Use has lines go to another device, which may take so long to take one. It is for tests.
func Use(path string, patience time.Duration) {
	inUse.Store(&terminal{path: path, patience: patience})
}

// Print writes one line, with the guest's own prefix.
func Print(format string, values ...any) {
	Line("twinhull: " + fmt.Sprintf(format, values...))
}

// Line writes one line as it is. A console that can't be opened, or that takes nothing, is no reason to stop.
func Line(line string) { inUse.Load().write(line) }

// Fatal ends PID 1, which panics the kernel. It prints the error first, and waits so that it can be read. The machine starts
// again some seconds after the panic (kernel.panic), unless a pvpanic device has reported it.
func Fatal(err error) {
	Print("%v", err)
	Print("the machine can't start; it stays on for a minute so that this can be read")
	time.Sleep(time.Minute)
	os.Exit(1)
}
