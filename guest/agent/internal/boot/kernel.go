package boot

import (
	"math"
	"os"
	"os/exec"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/identity"
	"twinhull.dev/guest/agent/internal/rundir"
)

// sysctls are what a container expects, and what the kubelet would set
// (pkg/kubelet/cm/container_manager_linux.go, setupKernelTunables; component-helpers/node/util/sysctl).
var sysctls = [][2]string{
	{"net/ipv4/ip_unprivileged_port_start", "0"},
	{"net/ipv4/ping_group_range", "0 2147483647"},
	{"vm/overcommit_memory", "1"},
	{"vm/panic_on_oom", "0"},
	{"kernel/panic", "10"},
	{"kernel/panic_on_oops", "1"},
	{"kernel/keys/root_maxkeys", "1000000"},
	{"kernel/keys/root_maxbytes", "25000000"},
	{"kernel/printk", "4 4 1 4"},
	{"fs/inotify/max_user_instances", "8192"},
	{"fs/inotify/max_user_watches", "524288"},
	{"fs/file-max", "9223372036854775807"},
	{"vm/max_map_count", "262144"},
}

func setSysctls() {
	for _, sysctl := range sysctls {
		if err := os.WriteFile("/proc/sys/"+sysctl[0], []byte(sysctl[1]), 0); err != nil {
			console.Print("sysctl %s: %v", sysctl[0], err)
		}
	}
}

// lowerReserve lowers the memory that the kernel keeps free. Once the kernel forms huge pages it keeps more, against
// fragmentation: a twentieth of a small machine's memory (mm/khugepaged.c, set_recommended_min_free_kbytes).
func lowerReserve() {
	var machine unix.Sysinfo_t
	err := unix.Sysinfo(&machine)
	if err == nil {
		reserve := strconv.Itoa(minFree(int(uint64(machine.Totalram) * uint64(machine.Unit) >> 10)))
		err = os.WriteFile("/proc/sys/vm/min_free_kbytes", []byte(reserve), 0)
	}
	if err != nil {
		console.Print("the kernel's reserve: %v", err)
	}
}

// minFree is how much the kernel keeps free without huge pages, in KiB (mm/page_alloc.c, calculate_min_free_kbytes). `memory`
// is the machine's, in KiB.
func minFree(memory int) int {
	return min(max(int(math.Sqrt(float64(memory*16))), 128), 256<<10)
}

// raiseLimits lets containers have as many files and processes as systemd's services do.
func raiseLimits() {
	const files = 1 << 20
	_ = os.WriteFile("/proc/sys/fs/nr_open", []byte("1073741816"), 0)
	_ = unix.Setrlimit(unix.RLIMIT_NOFILE, &unix.Rlimit{Cur: files, Max: files})
	_ = unix.Setrlimit(unix.RLIMIT_NPROC, &unix.Rlimit{Cur: unix.RLIM_INFINITY, Max: unix.RLIM_INFINITY})
	_ = unix.Setrlimit(unix.RLIMIT_CORE, &unix.Rlimit{Cur: 0, Max: unix.RLIM_INFINITY})
}

// writeMachineID writes a machine-id(5), which the kubelet asks for: each machine has its own.
func writeMachineID() {
	id := strings.ReplaceAll(identity.UUID(), "-", "")
	if err := rundir.Write("/etc/machine-id", []byte(id+"\n"), 0o444); err != nil {
		console.Print("%v", err)
	}
}

// loadModules loads a list of modules, one a line. A module that this kernel doesn't have may be built in, or
// its device may not be there: it is no error.
func loadModules(list string) {
	for _, name := range moduleNames(list) {
		if rundir.Exists("/sys/module/" + strings.ReplaceAll(name, "-", "_")) { // by the initramfs, or built in
			continue
		}
		if output, err := exec.Command("/usr/sbin/modprobe", "-q", name).CombinedOutput(); err != nil && len(output) > 0 {
			console.Print("module %s: %s", name, strings.TrimSpace(string(output)))
		}
	}
}

func moduleNames(list string) []string {
	data, err := os.ReadFile(list)
	if err != nil && !os.IsNotExist(err) {
		console.Print("%s: %v", list, err)
	}
	var names []string
	for line := range strings.Lines(string(data)) {
		if name, _, _ := strings.Cut(strings.TrimSpace(line), "#"); name != "" {
			names = append(names, strings.TrimSpace(name))
		}
	}
	return names
}
