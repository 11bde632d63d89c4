package boot

import (
	"path/filepath"
	"testing"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/console/consoletest"
	"twinhull.dev/guest/agent/internal/rundir"
)

func TestTheAgentIsToldOfTheEndThoughTheConsoleTakesNoLines(t *testing.T) {
	consoletest.Stopped(t, time.Hour)
	powerOff, diskLost := filepath.Join(t.TempDir(), "stop"), filepath.Join(t.TempDir(), "disk-lost")
	consoletest.Eventually(t, "the power button", func() { notePowerOff("the power button", powerOff+"-grace", powerOff) },
		func() bool { return rundir.Exists(powerOff) })
	consoletest.Eventually(t, "a lost disk", func() { new(loss).note(unix.EIO, diskLost, diskLost+"-final", time.Now()) },
		func() bool { return rundir.Exists(diskLost) })
}
