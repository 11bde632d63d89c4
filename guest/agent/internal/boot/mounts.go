package boot

import (
	"fmt"
	"os"
	"strings"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/rundir"
)

type mountPoint struct {
	kind, at string
	flags    uintptr
	options  string
}

const quiet = unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC

// mountPoints is what programs expect of a Linux machine, in the order of mounting. cgroup2 has systemd's options
// (src/shared/mount-setup.c).
var mountPoints = []mountPoint{
	{"proc", "/proc", quiet, ""},
	{"sysfs", "/sys", quiet, ""},
	{"devtmpfs", "/dev", unix.MS_NOSUID, "mode=0755"},
	{"devpts", "/dev/pts", unix.MS_NOSUID | unix.MS_NOEXEC, "gid=5,mode=0620,ptmxmode=0666"},
	{"tmpfs", "/dev/shm", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
	{"mqueue", "/dev/mqueue", quiet, ""},
	{"tmpfs", "/run", unix.MS_NOSUID | unix.MS_NODEV, "mode=0755"},
	{"tmpfs", "/tmp", unix.MS_NOSUID | unix.MS_NODEV, "mode=1777"},
	{"cgroup2", "/sys/fs/cgroup", quiet, "nsdelegate,memory_recursiveprot"},
}

// links are the device names that udev would make.
var links = map[string]string{
	"/dev/fd": "/proc/self/fd", "/dev/stdin": "/proc/self/fd/0",
	"/dev/stdout": "/proc/self/fd/1", "/dev/stderr": "/proc/self/fd/2",
}

func mountAll() error {
	for _, mount := range mountPoints {
		if mounted(mount.at) {
			continue
		}
		if err := os.MkdirAll(mount.at, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(mount.kind, mount.at, mount.kind, mount.flags, mount.options); err != nil {
			return fmt.Errorf("mounting %s on %s: %w", mount.kind, mount.at, err)
		}
	}
	if err := os.MkdirAll(rundir.Root, 0o755); err != nil {
		return err
	}
	for link, target := range links {
		_ = os.Symlink(target, link)
	}
	// As systemd leaves it, and the kubelet's volumes expect.
	if err := unix.Mount("", "/", "", unix.MS_SHARED|unix.MS_REC, ""); err != nil {
		return fmt.Errorf("sharing the mounts: %w", err)
	}
	return delegateControllers("/sys/fs/cgroup")
}

// delegateControllers gives every cgroup below the root all controllers.
func delegateControllers(root string) error {
	available, err := os.ReadFile(root + "/cgroup.controllers")
	if err != nil {
		return err
	}
	for _, controller := range strings.Fields(string(available)) {
		// One that can't be given is missed by the kubelet, which says so.
		_ = os.WriteFile(root+"/cgroup.subtree_control", []byte("+"+controller), 0)
	}
	return nil
}

// mounted tells whether something is mounted at a place, by its device being another than its parent's.
func mounted(at string) bool {
	var here, above unix.Stat_t
	if unix.Lstat(at, &here) != nil || unix.Lstat(at+"/..", &above) != nil {
		return false
	}
	return here.Dev != above.Dev
}
