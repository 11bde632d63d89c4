package boot

import (
	"os"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/manifest"
	"twinhull.dev/guest/agent/internal/rundir"
)

const (
	plugEvery = 2 * time.Second
	// changePatience is how many times plugEvery the kubelet's start waits for the end of a change. It doesn't wait for
	// ever: the change may need the very growth that the kubelet doesn't know of yet.
	changePatience = 10
	cpuStates      = "/sys/devices/system/cpu/cpu[0-9]*/online"
)

// size is what the machine has.
type size struct {
	cpus   int
	memory uint64 // in bytes
}

func sizeNow() size {
	var memory unix.Sysinfo_t
	_ = unix.Sysinfo(&memory)
	var cpus unix.CPUSet
	_ = unix.SchedGetaffinity(0, &cpus)
	return size{cpus.Count(), uint64(memory.Totalram) * uint64(memory.Unit)}
}

// growth is what is known of the machine's size. A kubelet looks at it at its start only.
type growth struct{ known, last size }

// next tells whether the machine has grown beyond what the kubelet knows, and isn't growing any more: memory comes
// a block at a time.
func (g *growth) next(now size) bool {
	settled := now == g.last
	g.last = now
	if !settled || now.cpus <= g.known.cpus && now.memory <= g.known.memory {
		return false
	}
	g.known = now
	return true
}

// watchGrowth brings CPUs online that are plugged into the running machine, and has the kubelet started again once the machine
// has grown. Debian's kernel brings memory of virtio-mem online by itself (CONFIG_MHP_DEFAULT_ONLINE_TYPE_ONLINE_AUTO). On
// other systems udev brings CPUs online.
func watchGrowth(restartKubelet func()) {
	seen := growth{known: sizeNow()}
	for ; ; time.Sleep(plugEvery) {
		bringOnline(cpuStates)
		if now := sizeNow(); seen.next(now) {
			console.Print("the machine has %d CPUs and %d MiB of memory now", now.cpus, now.memory>>20)
			lowerReserve() // the kernel has raised it for more memory
			for tries := 0; tries < changePatience && changing(rundir.PutManifest, rundir.ManifestInEffect); tries++ {
				time.Sleep(plugEvery)
			}
			restartKubelet()
		}
	}
}

// restartKubelet starts the kubelet again, unless there is one of the files `ends`, which say that the Pod is being ended. A kubelet
// that is started then doesn't know the Pod, and kills it at once (pkg/kubelet/kubelet_pods.go, HandlePodCleanups: a grace period
// of 1 s). A Pod that ends needs no larger machine.
func restartKubelet(children interface{ Restart(name string) }, ends ...string) {
	if !slices.ContainsFunc(ends, rundir.Exists) {
		children.Restart("kubelet")
	}
}

// changing tells whether a manifest was put that isn't in effect yet. A kubelet that is ended between making a container and
// starting it makes another one, and counts both as restarts.
func changing(put, inEffect string) bool {
	data, err := os.ReadFile(put)
	if err != nil {
		return false
	}
	effect, _ := os.ReadFile(inEffect)
	return string(effect) != manifest.Digest(data)
}

func bringOnline(states string) {
	found, _ := filepath.Glob(states)
	for _, state := range found {
		content, err := os.ReadFile(state)
		if err != nil || strings.TrimSpace(string(content)) != "0" {
			continue
		}
		if err := os.WriteFile(state, []byte("1"), 0); err != nil {
			console.Print("%s: %v", state, err)
		}
	}
}
