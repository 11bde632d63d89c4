package main

import (
	"encoding/json"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"syscall"
)

// Report is all that a process can see of itself and of what is around it.
type Report struct {
	Argv         []string            `json:"argv"`
	Env          []string            `json:"env"`
	Cwd          string              `json:"cwd"`
	UID          int                 `json:"uid"`
	GID          int                 `json:"gid"`
	Groups       []int               `json:"groups"`
	PID          int                 `json:"pid"`
	Umask        string              `json:"umask"`
	Capabilities map[string][]string `json:"capabilities"`
	NoNewPrivs   string              `json:"noNewPrivs"`
	Seccomp      string              `json:"seccomp"`
	Signals      map[string]string   `json:"signals"`
	OOMScoreAdj  string              `json:"oomScoreAdj"`
	Limits       map[string][]string `json:"limits"`
	Hostname     string              `json:"hostname"`
	Domainname   string              `json:"domainname"`
	Namespaces   map[string]bool     `json:"sharedWithInit"`
	Terminal     bool                `json:"terminal"`
	Stdin        string              `json:"stdin"`
	Mounts       []Mount             `json:"mounts"`
	Cgroup       map[string]string   `json:"cgroup"`
	Devices      []string            `json:"devices"`
	Sysctls      map[string]string   `json:"sysctls"`
	Processes    []string            `json:"processes"`
	Files        map[string]File     `json:"files"`
}

// The files that every report shows the contents of.
var always = []string{"/etc/hosts", "/etc/hostname", "/etc/resolv.conf"}

var sysctls = []string{
	"kernel.shm_rmid_forced", "kernel.msgmax", "net.core.somaxconn", "net.ipv4.ip_local_port_range",
	"net.ipv4.ip_unprivileged_port_start", "net.ipv4.ping_group_range", "net.ipv4.tcp_syncookies",
	"vm.overcommit_memory", "vm.panic_on_oom", "kernel.panic", "kernel.panic_on_oops", "kernel.keys.root_maxkeys",
	"fs.inotify.max_user_instances", "kernel.pid_max", "vm.max_map_count",
}

var cgroupFiles = []string{
	"memory.max", "memory.min", "memory.high", "memory.swap.max", "memory.oom.group", "cpu.max", "cpu.weight", "pids.max",
}

// report is the Report of this process as JSON in one line, with these paths described.
func report(paths []string) []byte {
	hostname, err := os.Hostname()
	check(err)
	cwd, err := os.Getwd()
	check(err)
	groups, err := os.Getgroups()
	check(err)
	status := fields("/proc/self/status", ":")
	stdin, _ := os.Readlink("/proc/self/fd/0")
	found := Report{
		Argv: os.Args, Env: os.Environ(), Cwd: cwd, UID: os.Getuid(), GID: os.Getgid(), Groups: groups,
		PID: os.Getpid(), Umask: status["Umask"], Capabilities: capabilities(status),
		NoNewPrivs: status["NoNewPrivs"], Seccomp: status["Seccomp"],
		Signals:     map[string]string{"blocked": status["SigBlk"], "ignored": status["SigIgn"]},
		OOMScoreAdj: line("/proc/self/oom_score_adj"), Limits: limits(), Hostname: hostname,
		Domainname: line("/proc/sys/kernel/domainname"), Namespaces: namespaces(), Terminal: terminal(),
		Stdin: stdin, Mounts: mounts(), Cgroup: lines("/sys/fs/cgroup", cgroupFiles, "/"), Devices: devices(),
		Sysctls: lines("/proc/sys", sysctls, "."), Processes: processes(), Files: map[string]File{},
	}
	for _, path := range append(append([]string{}, always...), paths...) {
		describe(path, found.Files)
	}
	encoded, err := json.Marshal(found)
	check(err)
	return encoded
}

func line(path string) string {
	content, err := os.ReadFile(path)
	if err != nil {
		return ""
	}
	return strings.TrimSpace(string(content))
}

// lines are the contents of the files that there are of these names below a folder; the separator stands for "/".
func lines(folder string, names []string, separator string) map[string]string {
	found := map[string]string{}
	for _, name := range names {
		if text := line(filepath.Join(folder, strings.ReplaceAll(name, separator, "/"))); text != "" {
			found[name] = strings.Join(strings.Fields(text), " ")
		}
	}
	return found
}

func fields(path, separator string) map[string]string {
	found := map[string]string{}
	for _, text := range strings.Split(line(path), "\n") {
		if name, value, cut := strings.Cut(text, separator); cut {
			found[name] = strings.TrimSpace(value)
		}
	}
	return found
}

// limits are those of proc_pid_limits(5), soft and hard.
func limits() map[string][]string {
	found := map[string][]string{}
	for _, text := range strings.Split(line("/proc/self/limits"), "\n")[1:] {
		if len(text) > 26 {
			found[strings.TrimSpace(text[:26])] = strings.Fields(text[26:])[:2]
		}
	}
	return found
}

// namespaces says which this process shares with the first process that it can see.
func namespaces() map[string]bool {
	found := map[string]bool{}
	for _, name := range []string{"cgroup", "ipc", "mnt", "net", "pid", "user", "uts"} {
		own, _ := os.Readlink("/proc/self/ns/" + name)
		first, err := os.Readlink("/proc/1/ns/" + name)
		found[name] = err == nil && own == first
	}
	return found
}

func terminal() bool {
	var stat syscall.Stat_t
	return syscall.Fstat(0, &stat) == nil && stat.Mode&syscall.S_IFMT == syscall.S_IFCHR && stat.Rdev>>8 == 136
}

func devices() []string {
	entries, _ := os.ReadDir("/dev")
	names := []string{}
	for _, entry := range entries {
		names = append(names, entry.Name())
	}
	return names
}

// processes are the command lines of all that are seen, less kernel threads.
func processes() []string {
	found := []string{}
	each(func(_ int, line string) { found = append(found, line) })
	return found
}

// each calls with the number and the command line of every process, less kernel threads.
func each(process func(pid int, line string)) {
	entries, _ := os.ReadDir("/proc")
	for _, entry := range entries {
		pid, err := strconv.Atoi(entry.Name())
		if err != nil {
			continue
		}
		if text := line("/proc/" + entry.Name() + "/cmdline"); text != "" {
			process(pid, strings.TrimSpace(strings.ReplaceAll(text, "\x00", " ")))
		}
	}
}
