// Package initramfs is the first program of the machine: it loads what the root disk needs, and moves there.
package initramfs

import (
	"fmt"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/block"
	"twinhull.dev/guest/agent/internal/console"
)

const (
	moduleList = "/etc/modules-load"
	rootSerial = "guest"
	newRoot    = "/sysroot"
	next       = "/usr/sbin/twinhull-guest"
)

// Run never returns but with an error.
func Run() error {
	for _, mount := range []struct{ kind, at string }{{"devtmpfs", "/dev"}, {"proc", "/proc"}, {"sysfs", "/sys"}} {
		if err := os.MkdirAll(mount.at, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(mount.kind, mount.at, mount.kind, 0, ""); err != nil && err != unix.EBUSY {
			return fmt.Errorf("mounting %s: %w", mount.at, err)
		}
	}
	loadModules()
	device, err := block.Wait(rootSerial, 30*time.Second)
	if err != nil {
		return fmt.Errorf("the root file system: %w", err)
	}
	if err := os.MkdirAll(newRoot, 0o755); err != nil {
		return err
	}
	if err := unix.Mount(device, newRoot, "ext4", unix.MS_NOATIME, ""); err != nil {
		return fmt.Errorf("mounting the root file system %s: %w", device, err)
	}
	if err := switchRoot(); err != nil {
		return fmt.Errorf("changing to the root file system: %w", err)
	}
	return fmt.Errorf("starting %s: %w", next, unix.Exec(next, []string{next, "boot"}, os.Environ()))
}

// loadModules loads the modules that the image's builder listed, in their order. A module that fails is no error: this machine
// may not need it. If it does, the root disk isn't there, which is an error.
func loadModules() {
	list, err := os.ReadFile(moduleList)
	if err != nil && !os.IsNotExist(err) {
		console.Print("%s: %v", moduleList, err)
	}
	for _, path := range strings.Fields(string(list)) {
		file, err := os.Open(path)
		if err == nil {
			err = unix.FinitModule(int(file.Fd()), "", 0)
			file.Close()
		}
		if err != nil && err != unix.EEXIST {
			console.Print("module %s: %v", path, err)
		}
	}
}
