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

// Fatal ends PID 1, which panics the kernel. It prints the error first, and waits so that it can be read. The machine starts
// again some seconds after the panic (kernel.panic), unless a pvpanic device has reported it.
func Fatal(err error) {
	Print("%v", err)
	Print("the machine can't start; it stays on for a minute so that this can be read")
	time.Sleep(time.Minute)
	os.Exit(1)
}
