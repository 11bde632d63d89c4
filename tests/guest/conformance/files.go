package main

import (
	"encoding/base64"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"unicode/utf8"
)

const longest = 64 << 10

// File is what can be seen of a path without following it, if it is a link.
type File struct {
	Kind    string   `json:"kind"`
	Mode    string   `json:"mode,omitempty"`
	UID     uint32   `json:"uid"`
	GID     uint32   `json:"gid"`
	Size    int64    `json:"size"`
	Target  string   `json:"target,omitempty"`
	Text    *string  `json:"text,omitempty"`
	Base64  string   `json:"base64,omitempty"`
	Entries []string `json:"entries,omitempty"`
	Error   string   `json:"error,omitempty"`
}

// describe puts a path, what it links to and, of a folder or a link to one, all that is in it, into `into`.
func describe(path string, into map[string]File) {
	info, err := os.Lstat(path)
	if err != nil {
		into[path] = File{Kind: "none", Error: reason(err)}
		return
	}
	stat := info.Sys().(*syscall.Stat_t)
	found := File{
		Kind: "other", Mode: fmt.Sprintf("%04o", stat.Mode&0o7777), UID: stat.Uid, GID: stat.Gid, Size: info.Size(),
	}
	switch {
	case info.Mode().IsRegular():
		found.Kind = "file"
		found.Size = info.Size()
		content(path, &found)
	case info.IsDir():
		found.Kind = "folder"
		found.Size = 0
		for _, name := range names(path, &found) {
			found.Entries = append(found.Entries, name)
			describe(filepath.Join(path, name), into)
		}
	case info.Mode()&os.ModeSymlink != 0:
		found.Kind = "link"
		found.Target, _ = os.Readlink(path)
		if target, err := filepath.EvalSymlinks(path); err == nil && target != path {
			if _, known := into[target]; !known {
				describe(target, into)
			}
			if folder, err := os.Stat(path); err == nil && folder.IsDir() {
				for _, name := range names(path, &found) {
					describe(filepath.Join(path, name), into)
				}
			} else {
				content(path, &found)
			}
		}
	case info.Mode()&os.ModeDevice != 0:
		found.Kind = "device"
		found.Target = fmt.Sprintf("%d:%d", stat.Rdev>>8&0xfff, stat.Rdev&0xff)
	}
	into[path] = found
}

// names are a folder's, less the one whose name is another at each update of a volume.
func names(path string, found *File) []string {
	entries, err := os.ReadDir(path)
	if err != nil {
		found.Error = reason(err)
	}
	kept := []string{}
	for _, entry := range entries {
		if !strings.HasPrefix(entry.Name(), "..2") {
			kept = append(kept, entry.Name())
		}
	}
	return kept
}

func content(path string, found *File) {
	file, err := os.Open(path)
	if err != nil {
		found.Error = reason(err)
		return
	}
	defer file.Close()
	read, err := io.ReadAll(io.LimitReader(file, longest))
	if err != nil {
		found.Error = reason(err)
		return
	}
	if !utf8.Valid(read) {
		found.Base64 = base64.StdEncoding.EncodeToString(read)
		return
	}
	text := string(read)
	found.Text = &text
}

func reason(err error) string {
	if pathError, is := err.(*os.PathError); is {
		return pathError.Err.Error()
	}
	return err.Error()
}

// Mount is a line of proc_pid_mountinfo(5).
type Mount struct {
	At      string   `json:"at"`
	Kind    string   `json:"kind"`
	Options []string `json:"options"`
	Super   []string `json:"super"`
	Shared  []string `json:"propagation"`
}

func mounts() []Mount {
	found := []Mount{}
	for _, text := range strings.Split(line("/proc/self/mountinfo"), "\n") {
		before, after, _ := strings.Cut(text, " - ")
		left, right := strings.Fields(before), strings.Fields(after)
		found = append(found, Mount{
			At: left[4], Options: strings.Split(left[5], ","), Shared: left[6:],
			Kind: right[0], Super: strings.Split(right[len(right)-1], ","),
		})
	}
	return found
}
