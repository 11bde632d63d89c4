package initramfs

import (
	"os"
	"path/filepath"

	"golang.org/x/sys/unix"
)

// switchRoot makes newRoot the root, as switch_root(8) does: an initramfs can't be unmounted or pivoted away
// from, so it is emptied, and the new root is moved over it.
func switchRoot() error {
	for _, mount := range []string{"/dev", "/proc", "/sys"} {
		target := newRoot + mount
		if err := os.MkdirAll(target, 0o755); err != nil {
			return err
		}
		if err := unix.Mount(mount, target, "", unix.MS_MOVE, ""); err != nil {
			return err
		}
	}
	var old unix.Stat_t
	if err := unix.Stat("/", &old); err != nil {
		return err
	}
	if err := os.Chdir(newRoot); err != nil {
		return err
	}
	free("/", old.Dev)
	if err := unix.Mount(".", "/", "", unix.MS_MOVE, ""); err != nil {
		return err
	}
	if err := unix.Chroot("."); err != nil {
		return err
	}
	return os.Chdir("/")
}

// free removes all files of one file system below a folder. What can't be removed only costs memory.
func free(folder string, device uint64) {
	entries, _ := os.ReadDir(folder)
	for _, entry := range entries {
		path := filepath.Join(folder, entry.Name())
		var stat unix.Stat_t
		if unix.Lstat(path, &stat) != nil || stat.Dev != device {
			continue
		}
		if stat.Mode&unix.S_IFMT == unix.S_IFDIR {
			free(path, device)
			_ = unix.Rmdir(path)
		} else {
			_ = unix.Unlink(path)
		}
	}
}
