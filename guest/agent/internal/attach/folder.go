package attach

import (
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/kube"
)

const (
	// dataLink leads to the folder with a live volume's present files (pkg/volume/util/atomic_writer.go).
	dataLink = "..data"
	// swaps is how often a read is tried if the volume is swapped meanwhile. All pauses together are longer than the second
	// for which the guest remembers a name by virtiofsd's option cache=auto.
	swaps     = 5
	swapPause = 300 * time.Millisecond
	// largest is how much a folder may hold, in bytes: a ConfigMap or a Secret has at most 1 MiB, and a token is small.
	largest = 4 << 20
)

// errSwapped tells that a volume's folder was removed while it was read.
var errSwapped = errors.New("the volume is being written anew")

// readFolder gives a folder's files as keys, all as they were at one time.
//
// In a live volume each key is a link into ..data, and ..data is a link to a folder that is swapped. No link of a key is
// followed. A kubelet since 1.36 makes the launcher Pod's user the owner of the link to a token, in a folder that is sticky and
// that anybody may write to (pkg/volume/util/atomic_writer.go, createUserVisibleFiles). Debian's kernel sets
// fs.protected_symlinks, by which not even root may follow such a link (linux/Documentation/admin-guide/sysctl/fs.rst).
func readFolder(folder string) (kube.Data, error) {
	for tries := 1; ; tries++ {
		data, err := readOnce(folder)
		if !errors.Is(err, errSwapped) || tries == swaps {
			return data, err
		}
		time.Sleep(swapPause)
	}
}

func readOnce(folder string) (kube.Data, error) {
	target, err := os.Readlink(filepath.Join(folder, dataLink))
	switch {
	case errors.Is(err, unix.ENOENT), errors.Is(err, unix.EINVAL): // a disk's files are what the links led to
		return readFiles(folder)
	case err != nil:
		return nil, err
	case !isGeneration(target):
		return nil, fmt.Errorf("%s leads to %q, which is no folder of a volume's files", dataLink, target)
	}
	data, err := readFiles(filepath.Join(folder, target))
	if errors.Is(err, unix.ENOENT) {
		return nil, errSwapped
	}
	return data, err
}

// isGeneration tells whether ..data may lead to a name: a kubelet calls the folder ..<time>.<number>.
func isGeneration(name string) bool {
	return len(name) > 2 && strings.HasPrefix(name, "..") && name != dataLink && !strings.ContainsRune(name, '/')
}

// readFiles gives the regular files of a folder. A name that begins with .. is the kubelet's own, since no key can have it
// (apimachinery/pkg/util/validation, IsConfigMapKey).
func readFiles(folder string) (kube.Data, error) {
	opened, err := unix.Open(folder, unix.O_RDONLY|unix.O_DIRECTORY|unix.O_NOFOLLOW|unix.O_CLOEXEC, 0)
	if err != nil {
		return nil, &os.PathError{Op: "open", Path: folder, Err: err}
	}
	directory := os.NewFile(uintptr(opened), folder)
	defer directory.Close()
	names, err := directory.Readdirnames(-1)
	if err != nil {
		return nil, err
	}
	data, left := kube.Data{}, int64(largest)
	for _, name := range names {
		if strings.HasPrefix(name, "..") {
			continue
		}
		content, regular, err := readFile(opened, name, left)
		if err != nil {
			return nil, &os.PathError{Op: "read", Path: filepath.Join(folder, name), Err: err}
		}
		if regular {
			data[name] = content
			left -= int64(len(content))
		}
	}
	return data, nil
}

// readFile reads a file of an open folder. `regular` is false if the file isn't a regular one. More bytes than `most` are an
// error. With O_NONBLOCK a pipe can be opened that nobody writes to.
func readFile(folder int, name string, most int64) (content []byte, regular bool, err error) {
	const how = unix.O_RDONLY | unix.O_NOFOLLOW | unix.O_NONBLOCK | unix.O_CLOEXEC
	opened, err := unix.Openat(folder, name, how, 0)
	if errors.Is(err, unix.ELOOP) { // a link
		return nil, false, nil
	}
	if err != nil {
		return nil, false, err
	}
	file := os.NewFile(uintptr(opened), name)
	defer file.Close()
	stat, err := file.Stat()
	if err != nil || !stat.Mode().IsRegular() {
		return nil, false, err
	}
	content, err = io.ReadAll(io.LimitReader(file, most+1))
	if err == nil && int64(len(content)) > most {
		return nil, false, fmt.Errorf("the folder holds more than %d bytes", largest)
	}
	return content, true, err
}
