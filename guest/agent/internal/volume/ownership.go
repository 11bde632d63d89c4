package volume

import (
	"io/fs"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/kube"
)

// own gives a volume to the Pod's fsGroup, as for read-only volumes: the group may read files and enter
// folders, and what is new in these is the group's (pkg/volume/volume_linux.go, changeFilePermission).
func own(root string, group int64) error {
	if group < 0 {
		return nil
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		if err := os.Lchown(path, -1, int(group)); err != nil {
			return err
		}
		if entry.Type()&fs.ModeSymlink != 0 {
			return nil
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		return os.Chmod(path, grouped(info.Mode()))
	})
}

// Give gives a volume that can be written to, to the Pod's fsGroup: the group may read and write files and enter folders, and
// what is new in these is the group's. Unless `always`, nothing is done if the volume's own folder is so already
// (fsGroupChangePolicy; pkg/volume/volume_linux.go, changeFilePermission and requiresPermissionChange).
func Give(root string, group int64, always bool) error {
	var stat unix.Stat_t
	if err := unix.Lstat(root, &stat); err != nil {
		return &os.PathError{Op: "lstat", Path: root, Err: err}
	}
	const needed = unix.S_ISGID | 0o770
	if !always && int64(stat.Gid) == group && stat.Mode&needed == needed {
		return nil
	}
	return filepath.WalkDir(root, func(path string, entry fs.DirEntry, err error) error {
		if err != nil {
			return err
		}
		info, err := entry.Info()
		if err != nil {
			return err
		}
		if err := os.Lchown(path, -1, int(group)); err != nil {
			return err
		}
		mode := info.Mode()
		if mode&fs.ModeSymlink != 0 {
			return nil
		}
		mode |= 0o660
		if mode.IsDir() {
			mode |= fs.ModeSetgid | 0o110
		}
		return os.Chmod(path, mode)
	})
}

// grouped is a mode by which the group may read, and enter folders.
func grouped(mode fs.FileMode) fs.FileMode {
	mode |= 0o440
	if mode.IsDir() {
		mode |= fs.ModeSetgid | 0o110
	}
	return mode
}

// NestedMounts are the folders that a volume must have since something else is mounted in it, where the mount
// point can't be made: the volume is read-only (pkg/volume/util/nested_volumes.go, getNestedMountpoints).
func NestedMounts(pod kube.Object, volume string) []string {
	var nested []string
	for _, container := range kube.Containers(pod) {
		var all, own []string
		for _, mount := range kube.List(container, "volumeMounts") {
			path := filepath.Clean(kube.Text(mount, "mountPath"))
			all = append(all, path)
			if kube.Text(mount, "name") == volume {
				own = append(own, path+"/")
			}
		}
		sort.Strings(all)
		for _, mine := range own {
			var before []string
			for _, path := range all {
				below, inside := strings.CutPrefix(path, mine)
				if !inside || under(path, before) {
					continue
				}
				before = append(before, path+"/")
				nested = append(nested, below)
			}
		}
	}
	return nested
}

func under(path string, folders []string) bool {
	for _, folder := range folders {
		if strings.HasPrefix(path, folder) {
			return true
		}
	}
	return false
}
