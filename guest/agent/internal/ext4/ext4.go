// Package ext4 makes a file system on a claim that is a disk, checks it, grows it, and mounts it.
package ext4

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"

	"golang.org/x/sys/unix"
)

const (
	// blockSize is the size of the blocks of a file system that is made here, in bytes.
	blockSize = 4096
	// smallest is how large a disk must be at least for a file system with a journal, in bytes.
	smallest = 16 << 20
	// options are those that the file system is mounted with: one that finds itself damaged takes no more writes.
	options = "errors=remount-ro"
	// Of e2fsck's exit code (e2fsck(8)): errors were corrected; and some weren't.
	corrected, uncorrected = 1 | 2, 4
)

// Refused is the error of a disk that isn't mounted, since it holds something else or is damaged. A later try won't succeed.
type Refused struct{ why string }

func (r Refused) Error() string { return r.why }

// Mount mounts a device at a folder. If the disk is blank, it makes a file system first. It checks one that is there, and grows it
// to the disk's size. A disk with anything else on it is Refused, and so is one whose errors e2fsck doesn't correct by itself.
func Mount(device, folder string) error {
	found, err := inspect(device)
	if err != nil {
		return err
	}
	if found != fileSystem {
		if err := create(device); err != nil {
			return err
		}
	}
	if err := check(device); err != nil {
		return err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return err
	}
	if err := unix.Mount(device, folder, "ext4", 0, options); err != nil {
		return fmt.Errorf("mounting %s: %w", device, err)
	}
	// A program that makes its files here, such as initdb, refuses a folder that isn't empty. e2fsck makes it again if need be.
	_ = os.Remove(filepath.Join(folder, "lost+found"))
	return Grow(device, folder)
}

// create makes a file system. The disk has a mark until it is made, so that a machine which ends meanwhile goes on at its next
// start, in place of refusing a disk with unknown content.
func create(device string) error {
	size, err := sizeOf(device)
	if err != nil {
		return err
	}
	if size < smallest {
		return Refused{fmt.Sprintf("the disk has %d bytes, and a file system needs %d: use a larger claim", size, smallest)}
	}
	if err := setInnerMarks(device, size); err != nil {
		return err
	}
	if err := setMark(device, size, mark); err != nil {
		return err
	}
	if output, err := run("mke2fs", arguments(device, size)...); err != nil {
		return fmt.Errorf("making a file system: %w: %s", err, output)
	}
	if err := removeInnerMarks(device, size); err != nil {
		return err
	}
	return setMark(device, size, nil)
}

// arguments are those of mke2fs. There is an inode for each 16 KiB, whatever the size: a small disk would get more, and keep their
// share as it grows. The features that are left out are newer than many a system's e2fsck, which may have to read
// the disk one day. All blocks are for everybody, since no root logs in here to clean up.
func arguments(device string, size int64) []string {
	return []string{
		"-q", "-t", "ext4", "-b", strconv.Itoa(blockSize), "-i", "16384", "-m", "0",
		"-O", "^orphan_file,^metadata_csum_seed", "-E", "nodiscard,lazy_itable_init=1,lazy_journal_init=1,root_owner=0:0",
		device, strconv.FormatInt(blocksFor(size), 10),
	}
}

// check has e2fsck replay the journal, and correct what can be corrected without asking anybody. A clean file system takes no
// time.
func check(device string) error {
	output, err := run("e2fsck", "-p", device)
	var exit *exec.ExitError
	switch {
	case !errors.As(err, &exit):
		return err
	case exit.ExitCode()&^corrected == 0:
		return nil
	case exit.ExitCode()&uncorrected != 0:
		return Refused{"its file system is damaged, and isn't mounted: restore the claim, or check it with e2fsck elsewhere; " +
			"e2fsck -p says: " + output}
	}
	return fmt.Errorf("checking its file system: %w: %s", err, output)
}

// run gives what a program says, in one line.
func run(program string, arguments ...string) (string, error) {
	command := exec.Command("/usr/sbin/"+program, arguments...)
	command.Env = append(os.Environ(), "LC_ALL=C")
	said, err := command.CombinedOutput()
	return strings.Join(strings.Fields(string(said)), " "), err
}
