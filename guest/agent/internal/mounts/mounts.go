// Package mounts tells what is mounted. It doesn't ask the file systems, since one whose server is gone never answers.
package mounts

import (
	"bufio"
	"io"
	"os"
	"strconv"
	"strings"
)

// Mount is a mounted file system.
type Mount struct {
	// At is where it is mounted, Kind is its file system's type, and Source what it is made from: a device file, a
	// virtiofs's tag.
	At, Kind, Source string
}

// List gives what is mounted in this mount namespace.
func List() ([]Mount, error) {
	file, err := os.Open("/proc/self/mountinfo")
	if err != nil {
		return nil, err
	}
	defer file.Close()
	return parse(file)
}

// At tells whether something is mounted at a folder.
func At(folder string) bool {
	list, _ := List()
	for _, mount := range list {
		if mount.At == folder {
			return true
		}
	}
	return false
}

// IsDisk tells whether a file system is one of a block device that this kernel itself reads and writes.
func (m Mount) IsDisk() bool {
	return strings.HasPrefix(m.Source, "/dev/") && !strings.HasPrefix(m.Kind, "fuse")
}

// parse reads proc_pid_mountinfo(5).
func parse(from io.Reader) ([]Mount, error) {
	var list []Mount
	lines := bufio.NewScanner(from)
	for lines.Scan() {
		before, after, _ := strings.Cut(lines.Text(), " - ")
		place, what := strings.Fields(before), strings.Fields(after)
		if len(place) < 5 || len(what) < 2 {
			continue
		}
		list = append(list, Mount{At: unescape(place[4]), Kind: what[0], Source: unescape(what[1])})
	}
	return list, lines.Err()
}

// unescape gives the characters that are written as a backslash and three octal digits.
func unescape(text string) string {
	var plain strings.Builder
	for {
		before, after, found := strings.Cut(text, `\`)
		plain.WriteString(before)
		if !found {
			return plain.String()
		}
		text = after
		if len(after) >= 3 {
			if code, err := strconv.ParseUint(after[:3], 8, 8); err == nil {
				plain.WriteByte(byte(code))
				text = after[3:]
				continue
			}
		}
		plain.WriteByte('\\')
	}
}
