package boot

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// kernelThread is the flag of a process that is the kernel's (PF_KTHREAD in linux/sched.h).
const kernelThread = 0x00200000

// awaitEnd waits until no process is left but this one, though not longer than the limit.
func awaitEnd(limit time.Duration) {
	for deadline := time.Now().Add(limit); othersRun("/proc") && time.Now().Before(deadline); {
		time.Sleep(20 * time.Millisecond)
	}
}

// othersRun tells whether a process runs that is neither PID 1 nor the kernel's. Only stat is read, since other files
// of a process that hangs in a page fault may hang, too (proc_pid_stat(5)).
func othersRun(proc string) bool {
	found, _ := filepath.Glob(proc + "/[0-9]*/stat")
	for _, path := range found {
		data, err := os.ReadFile(path)
		if err != nil || filepath.Base(filepath.Dir(path)) == "1" {
			continue
		}
		// What follows the name, which may have any character: state, ppid, pgrp, session, tty, tpgid, flags.
		fields := strings.Fields(string(data[strings.LastIndexByte(string(data), ')')+1:]))
		if len(fields) < 7 || fields[0] == "Z" || fields[0] == "X" {
			continue
		}
		if flags, err := strconv.ParseUint(fields[6], 10, 64); err == nil && flags&kernelThread == 0 {
			return true
		}
	}
	return false
}
