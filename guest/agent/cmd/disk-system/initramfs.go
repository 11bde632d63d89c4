package main

import (
	"encoding/hex"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/console"
)

const (
	newRoot  = "/sysroot"
	nextInit = "/sbin/init"
	patience = 60 * time.Second
	// Where an ext4 has its superblock, and in that its magic number and its UUID (linux/fs/ext4/ext4.h).
	superblock, magicAt, uuidAt = 1024, 0x38, 0x68
)

// findRoot loads the initramfs's modules, and starts the system on the partition that the kernel's arguments name by its
// UUID, whatever the disk is called. It never returns but with an error.
func findRoot() error {
	for _, mount := range []struct{ kind, at string }{{"devtmpfs", "/dev"}, {"proc", "/proc"}, {"sysfs", "/sys"}} {
		if err := unix.Mount(mount.kind, mount.at, mount.kind, 0, ""); err != nil && err != unix.EBUSY {
			return fmt.Errorf("mounting %s: %w", mount.at, err)
		}
	}
	if err := loadModules("/etc/modules-load"); err != nil {
		return err
	}
	arguments, err := os.ReadFile("/proc/cmdline")
	if err != nil {
		return err
	}
	uuid := rootUUID(string(arguments))
	for start := time.Now(); ; time.Sleep(100 * time.Millisecond) {
		if device := partition("/sys/class/block", "/dev", uuid); device != "" {
			return startFrom(device)
		}
		if time.Since(start) > patience {
			return fmt.Errorf("no partition has the UUID %q after %s", uuid, patience)
		}
	}
}

// startFrom never returns but with an error.
func startFrom(device string) error {
	if err := unix.Mount(device, newRoot, "ext4", unix.MS_NOATIME, ""); err != nil {
		return fmt.Errorf("mounting the root file system %s: %w", device, err)
	}
	for _, at := range []string{"/dev", "/proc", "/sys"} {
		if err := unix.Mount(at, newRoot+at, "", unix.MS_MOVE, ""); err != nil {
			return fmt.Errorf("moving %s: %w", at, err)
		}
	}
	if err := unix.Chdir(newRoot); err != nil {
		return err
	}
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return fmt.Errorf("moving the root: %w", err)
	}
	if err := unix.Chroot("."); err != nil {
		return err
	}
	return fmt.Errorf("starting %s: %w", nextInit, unix.Exec(nextInit, []string{nextInit, "system"}, os.Environ()))
}

// loadModules loads the modules of a list, each by its path, in their order.
func loadModules(list string) error {
	paths, err := os.ReadFile(list)
	if err != nil {
		return err
	}
	for _, path := range strings.Fields(string(paths)) {
		file, err := os.Open(path)
		if err != nil {
			return err
		}
		if err := unix.FinitModule(int(file.Fd()), "", 0); err != nil && err != unix.EEXIST {
			console.Print("module %s: %v", path, err)
		}
		file.Close()
	}
	return nil
}

// rootUUID is what the kernel's arguments say after root=UUID=.
func rootUUID(arguments string) string {
	for argument := range strings.FieldsSeq(arguments) {
		if uuid, found := strings.CutPrefix(argument, "root=UUID="); found {
			return uuid
		}
	}
	return ""
}

// partition is the device of the ext4 with a UUID, "" if there is none. `sys` has a folder for each block device, and `dev`
// the devices.
func partition(sys, dev, uuid string) string {
	found, _ := filepath.Glob(filepath.Join(sys, "*"))
	for _, folder := range found {
		device := filepath.Join(dev, filepath.Base(folder))
		if uuid != "" && ext4UUID(device) == uuid {
			return device
		}
	}
	return ""
}

// ext4UUID is the UUID of the ext4 on a device, "" if there is none.
func ext4UUID(device string) string {
	file, err := os.Open(device)
	if err != nil {
		return ""
	}
	defer file.Close()
	block := make([]byte, 1024)
	if _, err := file.ReadAt(block, superblock); err != nil || block[magicAt] != 0x53 || block[magicAt+1] != 0xef {
		return ""
	}
	text := hex.EncodeToString(block[uuidAt : uuidAt+16])
	return strings.Join([]string{text[:8], text[8:12], text[12:16], text[16:20], text[20:]}, "-")
}
