package boot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/rundir"
	"twinhull.dev/guest/agent/internal/timeout"
)

// margin is what the kubelet and the agent need to stop a Pod, over its own grace period. KubeVirt gives the
// machine 15 s (GUEST_GRACE of the operator's hulls/machine.py), of which the rest is for the machine itself.
const margin = 10 * time.Second

// patience is how long containerd and the kubelet may take to end. They have nothing to write: their disk is thrown away.
const patience = time.Second

const (
	// termPatience and killPatience are for the other processes. With writePatience they leave two of the five
	// seconds for a slow machine.
	termPatience = 300 * time.Millisecond
	killPatience = 500 * time.Millisecond
	// writePatience is for writing out the claims, if the Pod has used up its time.
	writePatience = time.Second
	// unaskedLimit is for writing out the claims, if nobody has asked the machine to end. They have more time for as long as
	// something is written in each such time.
	unaskedLimit = 30 * time.Second
)

// ending is how the machine is to end, and until when what is written may take.
type ending struct {
	failed bool
	until  time.Time
	// standstill is how long nothing may be written after `until`. It is zero if somebody wants the machine off.
	standstill time.Duration
}

// waitForEnd returns once the machine is to end: the agent says that the Pod has ended, or somebody wants the
// machine off and the Pod has had its time, or writes to the root disk were lost.
func waitForEnd(buttons <-chan string, lost <-chan error) ending {
	var deadline time.Time
	var loss loss
	for {
		select {
		case how := <-buttons:
			if deadline.IsZero() {
				deadline = notePowerOff(how, rundir.GracePeriod, rundir.PowerOff)
			}
		case err := <-lost:
			loss.note(err, rundir.DiskLost, rundir.Final, time.Now())
		case <-time.After(500 * time.Millisecond):
		}
		if loss.over(time.Now()) {
			return endingOf(loss.outcome(""), deadline)
		}
		if outcome, err := os.ReadFile(rundir.MachineEnd); err == nil {
			return endingOf(loss.outcome(string(outcome)), deadline)
		}
		if over, why := isOver(deadline, time.Now(), rundir.Exists(rundir.Stopped)); over {
			console.Print("%s", why)
			return endingOf(loss.outcome(rundir.ReadOutcome(rundir.Outcome)), deadline)
		}
	}
}

// notePowerOff has the agent end the Pod, which looks for the file `powerOff`, and gives until when that may take. `grace` is
// the file with the Pod's grace period. The console is written to last, since it may take no lines.
func notePowerOff(how, grace, powerOff string) (deadline time.Time) {
	limit := gracePeriod(os.ReadFile(grace)) + margin
	deadline = time.Now().Add(limit)
	err := rundir.Write(powerOff, nil, 0o644)
	console.Print("%s: ending the Pod, for %s at most", how, limit)
	if err != nil {
		console.Print("%v", err)
	}
	return deadline
}

// isOver tells whether the machine ends though the agent hasn't said so, and why. `deadline` is until when the Pod may take;
// it is zero unless somebody wants the machine off. `stopped` is whether the Pod is gone already, as the operator asked.
func isOver(deadline, now time.Time, stopped bool) (over bool, why string) {
	switch {
	case deadline.IsZero():
		return false, ""
	case stopped:
		return true, "the Pod is ended; the machine ends, too"
	}
	return now.After(deadline), "the Pod hasn't ended in time; the machine ends all the same"
}

// endingOf is an ending with an outcome, until the Pod's deadline if there is one.
func endingOf(outcome string, deadline time.Time) ending {
	failed := strings.TrimSpace(outcome) != "Succeeded"
	if deadline.IsZero() {
		return ending{failed, time.Now().Add(unaskedLimit), unaskedLimit}
	}
	return ending{failed: failed, until: deadline}
}

// gracePeriod is the Pod's, of the file that the agent writes; without one there is no Pod to wait for.
func gracePeriod(data []byte, err error) time.Duration {
	seconds, parsed := strconv.Atoi(strings.TrimSpace(string(data)))
	if err != nil || parsed != nil || seconds < 0 {
		return 0
	}
	return time.Duration(seconds) * time.Second
}

// machine ends the machine. KubeVirt learns of a failure by a panic, which the pvpanic device reports. Without the
// device a machine that panics would start again, so it is powered off.
//
// Nothing here waits for a virtiofs: KubeVirt ends virtiofsd as soon as the machine is deleted, and what asks it then
// never gets an answer. So a process may stay that can't be killed, and there is no sync(2), which asks all.
func (e ending) machine() error {
	_ = unix.Kill(-1, unix.SIGTERM)
	awaitEnd(termPatience)
	_ = unix.Kill(-1, unix.SIGKILL)
	awaitEnd(killPatience)
	e.writeOut(func() error { return errors.Join(syncDisks(), closeClaims()) }, written)
	if e.failed && hasPvpanic("/sys/bus") {
		console.Print("the Pod failed or was interrupted: telling KubeVirt by a panic")
		time.Sleep(200 * time.Millisecond) // for the console to be written out
		if err := os.WriteFile("/proc/sysrq-trigger", []byte("c"), 0); err != nil {
			console.Print("%v", err)
		}
	}
	console.Print("power off")
	time.Sleep(200 * time.Millisecond)
	return fmt.Errorf("power off: %w", unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF))
}

// writeOut has the disks written, for as long as there is time. `written` is how much was ever written to them.
func (e ending) writeOut(sync func() error, written func() uint64) {
	var writing timeout.Call[struct{}]
	before := written()
	for limit := max(time.Until(e.until), writePatience); ; limit = e.standstill {
		_, err := writing.Wait(limit, func() (struct{}, error) { return struct{}{}, sync() })
		now := written()
		if late := (timeout.Late{}); errors.As(err, &late) && e.standstill > 0 && now != before {
			before = now
			continue
		}
		if err != nil {
			console.Print("writing to the claims: %v", err)
		}
		return
	}
}

// hasPvpanic tells whether a driver has the device (linux/drivers/misc/pvpanic: an ACPI one, whose driver is
// called pvpanic-mmio, or a PCI one).
func hasPvpanic(bus string) bool {
	for _, pattern := range []string{"/*/drivers/pvpanic-mmio/QEMU0001:*", "/pci/drivers/pvpanic-pci/*:*"} {
		if found, _ := filepath.Glob(bus + pattern); len(found) > 0 {
			return true
		}
	}
	return false
}
