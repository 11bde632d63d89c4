package rundir

import (
	"fmt"
	"os"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"
)

// Mark writes the present time to a file, unless the file is there, and tells whether it is new. The time is that since the
// machine's start, which nobody can set.
func Mark(path string) (isNew bool, err error) {
	if Exists(path) {
		return false, nil
	}
	return true, Write(path, fmt.Appendf(nil, "%.3f", uptime().Seconds()), 0o644)
}

// Since is how long ago Mark has written a file; ok is false if the file isn't there.
func Since(path string) (elapsed time.Duration, ok bool) {
	data, err := os.ReadFile(path)
	if err != nil {
		return 0, false
	}
	seconds, err := strconv.ParseFloat(strings.TrimSpace(string(data)), 64)
	if err != nil {
		return 0, true
	}
	return uptime() - time.Duration(seconds*float64(time.Second)), true
}

func uptime() time.Duration {
	var now unix.Timespec
	_ = unix.ClockGettime(unix.CLOCK_BOOTTIME, &now)
	return time.Duration(now.Nano())
}
