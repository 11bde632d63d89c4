// Package attach mounts what KubeVirt attached to the machine. A call that asks a virtiofs may never return, since its
// virtiofsd may be gone: use timeout.Call where waiting must end.
package attach

import (
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"twinhull.dev/guest/agent/internal/block"
	"twinhull.dev/guest/agent/internal/ext4"
	"twinhull.dev/guest/agent/internal/kube"
	"twinhull.dev/guest/agent/internal/manifest"
	"twinhull.dev/guest/agent/internal/mounts"
	"twinhull.dev/guest/agent/internal/rundir"
)

const (
	readOnly = unix.MS_RDONLY | unix.MS_NOSUID | unix.MS_NODEV | unix.MS_NOEXEC
	asOnNode = 0               // a node mounts a claim without any of these
	patience = 3 * time.Second // disks are there from the start
)

// Trust reads the disk `trust`; if the machine has none, all of it is empty. The kernel has found all disks before init runs,
// so that a disk which isn't there now won't come.
func Trust() (manifest.Trust, error) {
	const serial = "trust"
	folder := folderOf(serial)
	if !mounts.At(folder) && block.Find("/sys/block", serial) == "" {
		return manifest.Trust{}, nil
	}
	folder, err := mountDisk(serial, patience)
	if err != nil {
		return manifest.Trust{}, err
	}
	return manifest.ReadTrust(folder)
}

// Manifest reads manifest.json from its disk.
func Manifest() ([]byte, error) {
	folder, err := mountDisk("manifest", 30*time.Second)
	if err != nil {
		return nil, err
	}
	return os.ReadFile(filepath.Join(folder, "manifest.json"))
}

// MountAll mounts the attachments, and gives where each claim is, by its name. An optional attachment that can't be mounted is
// left out.
func MountAll(attachments []manifest.Attachment) (kube.Claims, error) {
	claims := kube.Claims{Devices: map[string]string{}, Folders: map[string]string{}}
	var failed []error
	for _, attachment := range attachments {
		if err := mount(attachment, claims); err != nil && !attachment.Optional {
			failed = append(failed, fmt.Errorf("%s %s: %w", attachment.Kind, attachment.Name, err))
		}
	}
	return claims, errors.Join(failed...)
}

func mount(attachment manifest.Attachment, claims kube.Claims) (err error) {
	claim, live := attachment.Kind == kube.Claim, attachment.Tag != ""
	switch {
	case claim && live:
		claims.Folders[attachment.Name], err = mountShare(attachment.Tag, asOnNode)
	case claim && attachment.FileSystem != "":
		claims.Folders[attachment.Name], err = mountFileSystem(attachment)
	case claim:
		claims.Devices[attachment.Name], err = block.Wait(attachment.Serial, patience)
	case live:
		_, err = mountShare(attachment.Tag, readOnly)
	case attachment.Optional:
		_, err = mountDisk(attachment.Serial, 0)
	default:
		_, err = mountDisk(attachment.Serial, patience)
	}
	return err
}

// Read gives the present content of the attachments that are mounted, except claims.
func Read(attachments []manifest.Attachment) (kube.Objects, error) {
	objects := kube.Objects{}
	for _, attachment := range attachments {
		folder := folderOf(attachment.Device())
		if attachment.Kind == kube.Claim || !mounts.At(folder) {
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

// Maintain grows the mounted file systems of disks that have grown, and gives an error if one has found itself damaged.
func Maintain(attachments []manifest.Attachment) error {
	var failed []error
	for _, attachment := range attachments {
		folder := folderOf(attachment.Device())
		if attachment.FileSystem == "" || !mounts.At(folder) {
			continue
		}
		device, err := block.Wait(attachment.Serial, 0)
		if err == nil {
			err = errors.Join(ext4.Damaged(device), ext4.Grow(device, folder))
		}
		if err != nil {
			failed = append(failed, fmt.Errorf("%s %s: %w", attachment.Kind, attachment.Name, err))
		}
	}
	return errors.Join(failed...)
}

// FlushShares has each mounted filesystem claim written to where it comes from.
func FlushShares(attachments []manifest.Attachment) error {
	return flushAll(attachments, func(claim manifest.Attachment) bool { return claim.FileSystem == "" })
}

// FlushDisks has each claim written that is a disk with a file system of the guest's. Other block claims are left out: what a
// container writes to one of them doesn't go through a file system of the guest.
func FlushDisks(attachments []manifest.Attachment) error { return flushAll(attachments, isFileSystem) }

// Written is how many sectors were ever written to those disks.
func Written(attachments []manifest.Attachment) uint64 {
	var devices []string
	for _, attachment := range attachments {
		if name := block.Find("/sys/block", attachment.Serial); name != "" && isFileSystem(attachment) {
			devices = append(devices, name)
		}
	}
	return block.Written("/sys/block", devices)
}

func isFileSystem(attachment manifest.Attachment) bool { return attachment.FileSystem != "" }

// flushAll has each mounted claim of some kind written.
func flushAll(attachments []manifest.Attachment, chosen func(manifest.Attachment) bool) error {
	failed := make([]error, len(attachments))
	var all sync.WaitGroup
	for index, attachment := range attachments {
		folder := folderOf(attachment.Device())
		if attachment.Kind != kube.Claim || !chosen(attachment) || !mounts.At(folder) {
			continue
		}
		all.Go(func() {
			if err := flush(folder); err != nil {
				failed[index] = fmt.Errorf("%s %s: %w", attachment.Kind, attachment.Name, err)
			}
		})
	}
	all.Wait()
	return errors.Join(failed...)
}

func flush(folder string) error {
	file, err := os.Open(folder)
	if err != nil {
		return err
	}
	defer file.Close()
	return os.NewSyscallError("syncfs", unix.Syncfs(int(file.Fd())))
}

func folderOf(device string) string { return filepath.Join(rundir.Mounts, device) }

// mountShare mounts a virtiofs by its tag, unless it is mounted already.
func mountShare(tag string, flags uintptr) (string, error) {
	folder := folderOf(tag)
	if mounts.At(folder) {
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

// mountFileSystem mounts the file system of a claim that is a disk, unless it is mounted already.
func mountFileSystem(attachment manifest.Attachment) (string, error) {
	folder := folderOf(attachment.Serial)
	if mounts.At(folder) {
		return folder, nil
	}
	if attachment.FileSystem != "ext4" {
		return "", fmt.Errorf("this guest doesn't know the file system %s: use a guest image of the operator's version",
			attachment.FileSystem)
	}
	device, err := block.Wait(attachment.Serial, patience)
	if err != nil {
		return "", err
	}
	return folder, ext4.Mount(device, folder)
}

// mountDisk mounts a disk by its serial number, unless it is mounted already.
func mountDisk(serial string, patience time.Duration) (string, error) {
	folder := folderOf(serial)
	if mounts.At(folder) {
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
