// Package attach mounts what KubeVirt attached to the machine.
package attach

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/block"
	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/manifest"
	"twinhull.dev/guest/agent/internal/rundir"
)

const (
	readOnly = unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	asOnNode = 0               // a node mounts a claim without any of these
	patience = 3 * time.Second // disks are there from the start
)

// Manifest reads manifest.json from its disk.
func Manifest() ([]byte, error) {
	folder, err := disk("manifest", 30*time.Second)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(folder, "manifest.json"))
}

// All mounts the attachments, and gives where the claims are by their names. What is optional and can't be had
// is left out.
func All(attachments []manifest.Attachment) (kube.Claims, error) {
	claims := kube.Claims{Devices: map[string]string{}, Folders: map[string]string{}}
	var failed []error
	for _, attachment := range attachments {
		if err := one(attachment, claims); err != nil && !attachment.Optional {
			failed = append(failed, fmt.Errorf("%s %s: %w", attachment.Kind, attachment.Name, err))
		}
	}
	return claims, errors.Join(failed...)
}

func one(attachment manifest.Attachment, claims kube.Claims) (err error) {
	claim, live := attachment.Kind == kube.Claim, attachment.Tag != ""
	switch {
	case claim && live:
		claims.Folders[attachment.Name], err = share(attachment.Tag, asOnNode)
	case claim:
		claims.Devices[attachment.Name], err = block.Wait(attachment.Serial, patience)
	case live:
		_, err = share(attachment.Tag, readOnly)
	case attachment.Optional:
		_, err = disk(attachment.Serial, 0)
	default:
		_, err = disk(attachment.Serial, patience)
	}
	return err
}

// Read gives the present content of what is mounted.
func Read(attachments []manifest.Attachment) (kube.Objects, error) {
	objects := kube.Objects{}
	for _, attachment := range attachments {
		folder := folderOf(attachment.Device())
		if attachment.Kind == kube.Claim || !mounted(folder) {
			continue
		}
		data, err := readFolder(folder)
		if err != nil {
			return nil, fmt.Errorf("%s %s: %w", attachment.Kind, attachment.Name, err)
		}
		objects[attachment.Ref()] = data
	}
	return objects, nil
}

func folderOf(device string) string { return filepath.Join(rundir.Mounts, device) }

// share mounts a virtiofs by its tag, unless it is mounted already.
func share(tag string, flags uintptr) (string, error) {
	folder := folderOf(tag)
	if mounted(folder) {
		return folder, nil
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	if err := unix.Mount(tag, folder, "virtiofs", flags, ""); err != nil {
		return "", fmt.Errorf("mounting the virtiofs %s: %w (is there one of this tag?)", tag, err)
	}
	return folder, nil
}

// disk mounts a disk by its serial number, unless it is mounted already.
func disk(serial string, patience time.Duration) (string, error) {
	folder := folderOf(serial)
	if mounted(folder) {
		return folder, nil
	}
	device, err := block.Wait(serial, patience)
	if err != nil {
		return "", err
	}
	if err := os.MkdirAll(folder, 0o700); err != nil {
		return "", err
	}
	if err := unix.Mount(device, folder, "iso9660", readOnly, ""); err != nil {
		return "", fmt.Errorf("mounting %s (serial %s): %w", device, serial, err)
	}
	return folder, nil
}

// mounted tells whether a folder is of another file system than the one above it.
func mounted(folder string) bool {
	var here, above unix.Stat_t
	if unix.Stat(folder, &here) != nil || unix.Stat(filepath.Dir(folder), &above) != nil {
		return false
	}
	return here.Dev != above.Dev
}
