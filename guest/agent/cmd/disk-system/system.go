package main

import (
	"encoding/binary"
	"fmt"
	"net/http"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/network"
	"twinhull.dev/guest/agent/internal/rundir"
)

const (
	bootsFile = "/var/boots"
	address   = ":8080"
	// A struct input_event of a 64-bit machine (linux/input.h), and the power button's (linux/input-event-codes.h).
	eventSize, keyEvent, keyPower = 24, 1, 116
)

// runSystem is PID 1 of the root file system. It never returns but with an error.
func runSystem() error {
	for _, at := range []string{"/run", "/tmp"} {
		if err := unix.Mount("tmpfs", at, "tmpfs", 0, ""); err != nil {
			return fmt.Errorf("mounting %s: %w", at, err)
		}
	}
	if err := os.MkdirAll(rundir.Root, 0o755); err != nil { // where the lease is written
		return err
	}
	boots, err := countBoot(bootsFile)
	if err != nil {
		return fmt.Errorf("counting this boot: %w", err)
	}
	console.Print("boot number %d", boots)
	if err := network.LoopbackUp(); err != nil {
		return fmt.Errorf("the loopback interface: %w", err)
	}
	go network.KeepAddress()
	go func() { console.Fatal(http.ListenAndServe(address, handler("/srv", boots))) }()
	go func() { console.Print("nobody can log in: %v", serveLogins()) }()
	awaitPowerButton("/dev/input")
	console.Print("power off")
	unix.Sync()
	if err := unix.Mount("", "/", "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
		console.Print("the root file system stays writable: %v", err)
	}
	return fmt.Errorf("power off: %w", unix.Reboot(unix.LINUX_REBOOT_CMD_POWER_OFF))
}

// countBoot adds one to the number in a file, writes it, and gives it.
func countBoot(path string) (int, error) {
	data, err := os.ReadFile(path)
	if err != nil && !os.IsNotExist(err) {
		return 0, err
	}
	boots, _ := strconv.Atoi(strings.TrimSpace(string(data)))
	return boots + 1, writeFile(path, []byte(strconv.Itoa(boots+1)+"\n"))
}

// writeFile replaces a file. It returns once the disk has it.
func writeFile(path string, data []byte) error {
	next := path + ".next"
	file, err := os.Create(next)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.Write(data); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	if err := os.Rename(next, path); err != nil {
		return err
	}
	folder, err := os.Open(filepath.Dir(path))
	if err != nil {
		return err
	}
	defer folder.Close()
	return folder.Sync()
}

// awaitPowerButton returns once the power button is pressed. Nobody has a keyboard here, so every input device is listened to.
func awaitPowerButton(folder string) {
	pressed := make(chan struct{}, 1)
	heard := map[string]bool{}
	for {
		devices, _ := filepath.Glob(folder + "/event*")
		for _, device := range devices {
			if !heard[device] {
				heard[device] = true
				go listen(device, pressed)
			}
		}
		select {
		case <-pressed:
			return
		case <-time.After(time.Second):
		}
	}
}

func listen(device string, pressed chan<- struct{}) {
	file, err := os.Open(device)
	if err != nil {
		return
	}
	defer file.Close()
	event := make([]byte, eventSize)
	for {
		if length, err := file.Read(event); err != nil || length < eventSize {
			return
		}
		kind, code := binary.LittleEndian.Uint16(event[16:]), binary.LittleEndian.Uint16(event[18:])
		if kind == keyEvent && code == keyPower && event[20] == 1 {
			pressed <- struct{}{}
			return
		}
	}
}
