package main

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/block"
)

const (
	newRoot = "/sysroot"
	program = "/usr/sbin/twinhull-guest"
)

// install puts this program in the place of the image's, before the image's own init looks for it there.
func install() error {
	for _, mount := range []struct{ kind, at string }{{"devtmpfs", "/dev"}, {"proc", "/proc"}, {"sysfs", "/sys"}} {
		if err := unix.Mount(mount.kind, mount.at, mount.kind, 0, ""); err != nil && err != unix.EBUSY {
			return fmt.Errorf("mounting %s: %w", mount.at, err)
		}
	}
	loadModules()
	device, err := block.Wait("guest", 30*time.Second)
	if err != nil {
		return fmt.Errorf("the root file system: %w", err)
	}
	if err := unix.Mount(device, newRoot, "ext4", unix.MS_NOATIME, ""); err != nil {
		return fmt.Errorf("mounting the root file system %s: %w", device, err)
	}
	if err := replace(newRoot+program, "/proc/self/exe"); err != nil {
		return fmt.Errorf("replacing %s: %w", program, err)
	}
	return unix.Unmount(newRoot, 0)
}

// loadModules loads the modules that the image's builder listed. The image's init skips modules that are loaded.
func loadModules() {
	list, _ := os.ReadFile("/etc/modules-load")
	for _, path := range strings.Fields(string(list)) {
		if file, err := os.Open(path); err == nil {
			_ = unix.FinitModule(int(file.Fd()), "", 0)
			file.Close()
		}
	}
}

func replace(target, source string) error {
	from, err := os.Open(source)
	if err != nil {
		return err
	}
	defer from.Close()
	if err := os.Remove(target); err != nil {
		return err
	}
	to, err := os.OpenFile(target, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o755)
	if err != nil {
		return err
	}
	_, err = io.Copy(to, from)
	if closed := to.Close(); err == nil {
		err = closed
	}
	return err
}
