package main

import (
	"encoding/json"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"sort"
	"strings"

	"golang.org/x/sys/unix"
)

// device is a disk or a network card as the kernel sees it.
type device struct {
	Name string `json:"name"`
	// Driver is the kernel's driver of the disk's controller, or of the card.
	Driver string `json:"driver"`
	// MAC is a card's, Sectors is a disk's size in units of 512 bytes.
	MAC     string `json:"mac,omitempty"`
	Sectors string `json:"sectors,omitempty"`
}

// machine is what the system sees of the machine.
type machine struct {
	Boots    int    `json:"boots"`
	Firmware string `json:"firmware"` // BIOS or UEFI
	CPUs     string `json:"cpus"`     // a list, as in /sys/devices/system/cpu/online
	MemoryKB uint64 `json:"memoryKB"` // without what the kernel keeps to itself
	// Serial and UUID are the machine's own numbers, by DMI.
	Serial string   `json:"serial"`
	UUID   string   `json:"uuid"`
	TPM    bool     `json:"tpm"`
	Disks  []device `json:"disks"`
	Cards  []device `json:"cards"`
}

// handler answers / by the file index of a folder, /machine by what the machine is, and /files/<name> by a file of the
// folder, which PUT writes.
func handler(folder string, boots int) http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /{$}", func(answer http.ResponseWriter, request *http.Request) {
		http.ServeFile(answer, request, filepath.Join(folder, "index"))
	})
	mux.HandleFunc("GET /machine", func(answer http.ResponseWriter, _ *http.Request) {
		_ = json.NewEncoder(answer).Encode(look("/sys", boots))
	})
	mux.HandleFunc("GET /files/{name}", func(answer http.ResponseWriter, request *http.Request) {
		http.ServeFile(answer, request, filepath.Join(folder, filepath.Base(request.PathValue("name"))))
	})
	mux.HandleFunc("PUT /files/{name}", func(answer http.ResponseWriter, request *http.Request) {
		data, err := io.ReadAll(request.Body)
		if err == nil {
			err = writeFile(filepath.Join(folder, filepath.Base(request.PathValue("name"))), data)
		}
		if err != nil {
			http.Error(answer, err.Error(), http.StatusInternalServerError)
		}
	})
	return mux
}

// look is the machine as sysfs shows it.
func look(sys string, boots int) machine {
	var info unix.Sysinfo_t
	_ = unix.Sysinfo(&info)
	found := machine{
		Boots:    boots,
		Firmware: "BIOS",
		CPUs:     text(sys + "/devices/system/cpu/online"),
		MemoryKB: uint64(info.Totalram) * uint64(info.Unit) >> 10,
		Serial:   text(sys + "/class/dmi/id/product_serial"),
		UUID:     text(sys + "/class/dmi/id/product_uuid"),
	}
	if _, err := os.Stat(sys + "/firmware/efi"); err == nil {
		found.Firmware = "UEFI"
	}
	if tpms, _ := filepath.Glob(sys + "/class/tpm/tpm*"); len(tpms) > 0 {
		found.TPM = true
	}
	for _, folder := range withDevice(sys + "/class/block") {
		found.Disks = append(found.Disks, device{
			Name: filepath.Base(folder), Driver: driver(folder), Sectors: text(folder + "/size"),
		})
	}
	for _, folder := range withDevice(sys + "/class/net") {
		found.Cards = append(found.Cards, device{
			Name: filepath.Base(folder), Driver: driver(folder), MAC: text(folder + "/address"),
		})
	}
	return found
}

// withDevice are the folders of a class that stand for a device, and for no part of one.
func withDevice(class string) []string {
	found, _ := filepath.Glob(class + "/*/device")
	sort.Strings(found)
	for index := range found {
		found[index] = filepath.Dir(found[index])
	}
	return found
}

// driver is the driver of the PCI device that a device is behind, "" if there is none: ahci and not sd.
func driver(folder string) string {
	path, err := filepath.EvalSymlinks(folder + "/device")
	if err != nil {
		return ""
	}
	for ; path != "/" && path != "."; path = filepath.Dir(path) {
		subsystem, _ := os.Readlink(path + "/subsystem")
		link, err := os.Readlink(path + "/driver")
		if err == nil && filepath.Base(subsystem) == "pci" {
			return filepath.Base(link)
		}
	}
	return ""
}

func text(path string) string {
	data, _ := os.ReadFile(path)
	return strings.TrimSpace(string(data))
}
