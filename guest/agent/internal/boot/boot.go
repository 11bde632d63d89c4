// Package boot is PID 1 of the root file system: it makes a Linux machine of the kernel, keeps containerd, the
// kubelet and the agent running, and ends the machine.
package boot

import (
	"os"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/network"
	"twinhull.dev/guest/agent/internal/rundir"
	"twinhull.dev/guest/agent/internal/supervise"
)

// Run never returns but with an error.
func Run(version string) error {
	if err := mountAll(); err != nil {
		return err
	}
	err := console.IgnoreFlowControl()
	console.Print("guest %s", version)
	if err != nil {
		console.Print("a Ctrl+S stops the console: %v", err)
	}
	_ = os.Setenv("PATH", "/usr/sbin:/usr/bin:/sbin:/bin:/usr/local/sbin:/usr/local/bin")
	loadModules("/etc/modules")
	setSysctls()
	lowerReserve()
	raiseLimits()
	_ = unix.Sethostname([]byte("twinhull"))
	writeMachineID()
	if err := network.LoopbackUp(); err != nil {
		console.Print("the loopback interface: %v", err)
	}

	lost := watchRootDisk()
	buttons := powerButtons()
	children := supervise.New()
	children.Keep(containerd(), supervise.Always)
	children.Keep(agent(), supervise.Always)
	children.Keep(kubelet(), supervise.WhenExists(rundir.KubeletConfig))
	go network.KeepAddress()
	go watchGrowth(func() { restartKubelet(children, rundir.PowerOff, rundir.StopAsked) })

	end := waitForEnd(buttons, lost)
	children.StopAll(patience)
	return end.machine()
}
