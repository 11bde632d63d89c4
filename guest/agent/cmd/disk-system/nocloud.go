package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"path/filepath"
	"time"

	"golang.org/x/sys/unix"
)

const (
	noCloudAt = "/run/nocloud"
	// Where an ISO 9660 has its primary volume descriptor, and in that its identifier and the volume's name (ECMA-119, 8.4).
	descriptor, identifierAt, nameAt, nameEnd = 32768, 1, 40, 72
)

// metaData is what a machine is told by the disk of cloud-init's data source NoCloud, which KubeVirt writes as JSON
// (kubevirt.io/kubevirt/pkg/cloud-init, type NoCloudMetadata).
type metaData struct {
	Hostname   string            `json:"local-hostname"`
	PublicKeys map[string]string `json:"public-keys"`
}

// awaitNoCloud reads the machine's NoCloud disk once it is there. It gives no error and no data if there is none for as long
// as a disk may take.
func awaitNoCloud() (metaData, error) {
	for start := time.Now(); time.Since(start) < patience; time.Sleep(time.Second) {
		if device := noCloudDisk("/sys/class/block", "/dev"); device != "" {
			return readNoCloud(device)
		}
	}
	return metaData{}, nil
}

// noCloudDisk is the device of the ISO 9660 that NoCloud is known by, "" if there is none. `sys` has a folder for each block
// device, and `dev` the devices.
func noCloudDisk(sys, dev string) string {
	found, _ := filepath.Glob(filepath.Join(sys, "*"))
	for _, folder := range found {
		device := filepath.Join(dev, filepath.Base(folder))
		if bytes.EqualFold(volumeName(device), []byte("cidata")) {
			return device
		}
	}
	return ""
}

// volumeName is the name of the ISO 9660 on a device, empty if there is none.
func volumeName(device string) []byte {
	file, err := os.Open(device)
	if err != nil {
		return nil
	}
	defer file.Close()
	block := make([]byte, 2048)
	if _, err := file.ReadAt(block, descriptor); err != nil || !bytes.HasPrefix(block[identifierAt:], []byte("CD001")) {
		return nil
	}
	return bytes.TrimRight(block[nameAt:nameEnd], " ")
}

func readNoCloud(device string) (metaData, error) {
	var data metaData
	if err := os.MkdirAll(noCloudAt, 0o700); err != nil {
		return data, err
	}
	if err := unix.Mount(device, noCloudAt, "iso9660", unix.MS_RDONLY, ""); err != nil {
		return data, fmt.Errorf("mounting %s: %w", device, err)
	}
	defer unix.Unmount(noCloudAt, 0)
	text, err := os.ReadFile(filepath.Join(noCloudAt, "meta-data"))
	if err != nil {
		return data, err
	}
	return data, json.Unmarshal(text, &data)
}
