// Package block finds the machine's disks by the serial numbers that KubeVirt gives them.
package block

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// serialLength is how much of a serial virtio-blk keeps (VIRTIO_BLK_ID_BYTES in linux/virtio_blk.h).
const serialLength = 20

// Find gives the name (as in /dev) of the disk with a serial, or "" if there is none. `sys` is /sys/block.
func Find(sys, serial string) string {
	if len(serial) > serialLength {
		serial = serial[:serialLength]
	}
	found, _ := filepath.Glob(filepath.Join(sys, "*", "serial"))
	for _, file := range found {
		data, err := os.ReadFile(file)
		if err == nil && strings.TrimSpace(string(data)) == serial {
			return filepath.Base(filepath.Dir(file))
		}
	}
	return ""
}

// Wait gives the device file of the disk with a serial. It waits until the disk is there, for `patience` at most.
func Wait(serial string, patience time.Duration) (string, error) {
	for start := time.Now(); ; time.Sleep(50 * time.Millisecond) {
		if name := Find("/sys/block", serial); name != "" {
			if device := "/dev/" + name; exists(device) {
				return device, nil
			}
		}
		if time.Since(start) > patience {
			return "", fmt.Errorf("no disk with serial %q after %s; there are: %s",
				serial, patience, strings.Join(present("/sys/block"), ", "))
		}
	}
}

func present(sys string) []string {
	var disks []string
	entries, _ := os.ReadDir(sys)
	for _, entry := range entries {
		if serial, err := os.ReadFile(filepath.Join(sys, entry.Name(), "serial")); err == nil {
			disks = append(disks, fmt.Sprintf("%s (serial %q)", entry.Name(), strings.TrimSpace(string(serial))))
		}
	}
	if disks == nil {
		return []string{"none (is virtio_blk loaded?)"}
	}
	return disks
}

func exists(path string) bool {
	_, err := os.Stat(path)
	return err == nil
}
