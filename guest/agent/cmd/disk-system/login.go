package main

import (
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/console"
)

const home = "/root"

// serveLogins gives the system the name and the user's keys that its NoCloud disk has, as cloud-init does, and runs the SSH
// server from then on. A machine without keys runs none: nobody could log in. It never returns but with an error.
func serveLogins() error {
	data, err := awaitNoCloud()
	if err != nil {
		return fmt.Errorf("the NoCloud data: %w", err)
	}
	if len(data.PublicKeys) == 0 {
		select {}
	}
	if err := unix.Sethostname([]byte(data.Hostname)); err != nil {
		return fmt.Errorf("the host's name %q: %w", data.Hostname, err)
	}
	if err := authorize(data.PublicKeys, home); err != nil {
		return fmt.Errorf("the keys of who may log in: %w", err)
	}
	if err := os.MkdirAll("/dev/pts", 0o755); err != nil {
		return err
	}
	if err := unix.Mount("devpts", "/dev/pts", "devpts", 0, "ptmxmode=0666,mode=0620,gid=5"); err != nil {
		return fmt.Errorf("mounting /dev/pts: %w", err)
	}
	for ; ; time.Sleep(time.Second) {
		console.Print("the SSH server has ended: %v", runSSHServer())
	}
}

// authorize has the user of a home folder log in by these keys, and by no others.
func authorize(keys map[string]string, home string) error {
	folder := filepath.Join(home, ".ssh")
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	var lines []string
	for _, key := range keys {
		lines = append(lines, strings.TrimSpace(key)+"\n")
	}
	slices.Sort(lines)
	return writeFile(filepath.Join(folder, "authorized_keys"), []byte(strings.Join(lines, "")))
}

// runSSHServer runs until the server ends. At the first login the server makes its key, which stays on the disk.
func runSSHServer() error {
	const foreground, logToStderr, makeKey, noPasswords = "-F", "-E", "-R", "-s"
	server := exec.Command("/usr/sbin/dropbear", foreground, logToStderr, makeKey, noPasswords, "-P", "/run/dropbear.pid")
	server.Env = []string{"PATH=/usr/sbin:/usr/bin:/sbin:/bin"}
	server.Stdout, server.Stderr = os.Stderr, os.Stderr
	return server.Run()
}
