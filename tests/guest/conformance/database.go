package main

import (
	"fmt"
	"os"
	"path/filepath"
	"syscall"
)

// initdb makes a database's folder, or takes up the one that is there, as PostgreSQL does: the folder must belong to the user that
// the process has and be for that user alone, and must be empty before it is made (src/backend/utils/init/miscinit.c,
// checkDataDir; src/bin/initdb/initdb.c). As the image's entry point does, it first sets the mode, which fsGroup has changed.
func initdb(folder string) {
	err := os.Mkdir(folder, 0o700)
	if !os.IsExist(err) {
		check(err)
	}
	version := filepath.Join(folder, "PG_VERSION")
	if !exists(version) {
		entries, err := os.ReadDir(folder)
		check(err)
		if len(entries) > 0 {
			check(fmt.Errorf("directory %q exists but is not empty: it has %s", folder, entries[0].Name()))
		}
		insert(version, "18")
	}
	check(os.Chmod(folder, 0o700))
	var stat syscall.Stat_t
	check(syscall.Stat(folder, &stat))
	if int(stat.Uid) != os.Geteuid() || stat.Mode&0o077 != 0 {
		check(fmt.Errorf("data directory %q has wrong ownership or invalid permissions", folder))
	}
}

// insert adds a row, and returns once that is on the disk.
func insert(path, row string) {
	check(insertRow(path, row))
}

func insertRow(path, row string) error {
	file, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	defer file.Close()
	if _, err := file.WriteString(row + "\n"); err != nil {
		return err
	}
	return file.Sync()
}

// space is how large the file system of a path is, in bytes.
func space(path string) string {
	var stat syscall.Statfs_t
	if err := syscall.Statfs(path, &stat); err != nil {
		return err.Error()
	}
	return fmt.Sprint(stat.Blocks * uint64(stat.Bsize))
}
