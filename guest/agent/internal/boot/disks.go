package boot

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"sync"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/block"
	"twinhull.dev/guest/agent/internal/mounts"
	"twinhull.dev/guest/agent/internal/rundir"
)

// syncDisks writes all that isn't on the machine's disks yet: of file systems that a container mounted for the machine,
// and of the disks themselves, which are the block claims. The root disk is left out, since it is thrown away.
func syncDisks() error {
	list, err := mounts.List()
	if err != nil {
		return err
	}
	// At once: a file system may be on a file whose virtiofs is gone, and the claims mustn't wait for it.
	var mounted, claims error
	var both sync.WaitGroup
	both.Go(func() { mounted = each(diskMounts(list), unix.Syncfs) })
	both.Go(func() { claims = each(claimDisks(), unix.Fsync) })
	both.Wait()
	return errors.Join(mounted, claims)
}

// written is how many sectors were ever written to these disks.
func written() uint64 { return block.Written("/sys/block", claimDisks()) }

// claimDisks are the files of all disks but the root disk.
func claimDisks() []string {
	var root unix.Stat_t
	_ = unix.Lstat("/", &root)
	return disks("/sys/block", unix.Major(root.Dev), unix.Minor(root.Dev))
}

// closeClaims makes the file systems of the claims that are disks read-only, so that the next machine finds them closed and needs
// no journal. It is called once all processes are gone.
func closeClaims() error {
	list, err := mounts.List()
	if err != nil {
		return err
	}
	var failed []error
	for _, mount := range list {
		if mount.Kind != "ext4" || filepath.Dir(mount.At) != rundir.Mounts {
			continue
		}
		if err := unix.Mount("", mount.At, "", unix.MS_REMOUNT|unix.MS_RDONLY, ""); err != nil {
			failed = append(failed, &os.PathError{Op: "remount", Path: mount.At, Err: err})
		}
	}
	return errors.Join(failed...)
}

// diskMounts are the places of the file systems that may be waited for, but for the root's.
func diskMounts(list []mounts.Mount) []string {
	var places []string
	for _, mount := range list {
		if mount.IsDisk() && mount.At != "/" {
			places = append(places, mount.At)
		}
	}
	return places
}

// disks are the files of the machine's disks, but for one. `sys` is /sys/block.
func disks(sys string, major, minor uint32) []string {
	var files []string
	found, _ := filepath.Glob(filepath.Join(sys, "*", "device"))
	for _, device := range found {
		folder := filepath.Dir(device)
		number, err := os.ReadFile(filepath.Join(folder, "dev"))
		if err == nil && strings.TrimSpace(string(number)) != fmt.Sprintf("%d:%d", major, minor) {
			files = append(files, "/dev/"+filepath.Base(folder))
		}
	}
	return files
}

// each does something with all files at once, so that none waits for another.
func each(paths []string, do func(file int) error) error {
	failed := make([]error, len(paths))
	var all sync.WaitGroup
	for index, path := range paths {
		all.Go(func() {
			file, err := unix.Open(path, unix.O_RDONLY|unix.O_CLOEXEC, 0)
			if err == nil {
				err = do(file)
				unix.Close(file)
			}
			if err != nil {
				failed[index] = &os.PathError{Op: "sync", Path: path, Err: err}
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}
