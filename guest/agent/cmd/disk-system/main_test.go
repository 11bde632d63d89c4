package main

import (
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"
)

func TestTheRootIsFoundByItsUUID(t *testing.T) {
	const uuid = "6d1f4e0a-95f3-4a35-8a0e-646973686f6d"
	if found := rootUUID("quiet root=UUID=" + uuid + " rw"); found != uuid {
		t.Errorf("of the kernel's arguments: %q", found)
	}
	if found := rootUUID("root=/dev/sda1"); found != "" {
		t.Errorf("a root without a UUID has %q", found)
	}
	folder := t.TempDir()
	disk := make([]byte, 4096)
	copy(disk[superblock+magicAt:], "\x53\xef")
	copy(disk[superblock+uuidAt:], "\x6d\x1f\x4e\x0a\x95\xf3\x4a\x35\x8a\x0e\x64\x69\x73\x68\x6f\x6d")
	write(t, folder+"/dev/sdb1", string(disk))
	disk[superblock+magicAt] = 0
	write(t, folder+"/dev/sda1", string(disk))
	for _, name := range []string{"sda1", "sdb1"} {
		write(t, folder+"/sys/"+name+"/dev", "")
	}
	if found := partition(folder+"/sys", folder+"/dev", uuid); found != folder+"/dev/sdb1" {
		t.Errorf("the partition is %q", found)
	}
	if found := partition(folder+"/sys", folder+"/dev", ""); found != "" {
		t.Errorf("without a UUID it is %q", found)
	}
}

func TestBootsAreCounted(t *testing.T) {
	path := t.TempDir() + "/boots"
	for expected := 1; expected < 4; expected++ {
		if boots, err := countBoot(path); boots != expected || err != nil {
			t.Errorf("boot %d is %d, %v", expected, boots, err)
		}
	}
}

func TestFilesAreWrittenAndServed(t *testing.T) {
	folder := t.TempDir()
	write(t, folder+"/index", "the system")
	server := httptest.NewServer(handler(folder, 1))
	defer server.Close()
	request, _ := http.NewRequest(http.MethodPut, server.URL+"/files/note", strings.NewReader("kept"))
	if answer, err := server.Client().Do(request); err != nil || answer.StatusCode != http.StatusOK {
		t.Fatalf("PUT: %v %v", answer, err)
	}
	for path, expected := range map[string]string{"/": "the system", "/files/note": "kept"} {
		answer, err := server.Client().Get(server.URL + path)
		if err != nil {
			t.Fatal(err)
		}
		body, _ := io.ReadAll(answer.Body)
		answer.Body.Close()
		if string(body) != expected {
			t.Errorf("%s is %q", path, body)
		}
	}
}

func TestTheNoCloudDiskIsFoundByItsName(t *testing.T) {
	folder := t.TempDir()
	volume := make([]byte, descriptor+2048)
	copy(volume[descriptor:], "\x01CD001\x01")
	for device, name := range map[string]string{"sda": "OTHER", "sdb": "cidata"} {
		copy(volume[descriptor+nameAt:], name+strings.Repeat(" ", nameEnd-nameAt-len(name)))
		write(t, folder+"/dev/"+device, string(volume))
	}
	for _, name := range []string{"loop0", "sda", "sdb"} {
		write(t, folder+"/sys/"+name+"/dev", "")
	}
	if found := noCloudDisk(folder+"/sys", folder+"/dev"); found != folder+"/dev/sdb" {
		t.Errorf("the disk is %q", found)
	}
	write(t, folder+"/dev/sdb", strings.Repeat(" ", len(volume)))
	if found := noCloudDisk(folder+"/sys", folder+"/dev"); found != "" {
		t.Errorf("without an ISO 9660 it is %q", found)
	}
}

func TestOnlyTheKeysOfTheMachineLogIn(t *testing.T) {
	home := t.TempDir()
	for _, keys := range []map[string]string{{"0": "former"}, {"0": "ssh-ed25519 b\n", "1": "ssh-ed25519 a"}} {
		if err := authorize(keys, home); err != nil {
			t.Fatal(err)
		}
	}
	if found := text(home + "/.ssh/authorized_keys"); found != "ssh-ed25519 a\nssh-ed25519 b" {
		t.Errorf("they are %q", found)
	}
}

func TestADisksDriverIsThatOfItsController(t *testing.T) {
	sys := t.TempDir()
	controller := "devices/pci0/0000:00:1f.2"
	disk := controller + "/ata1/host0/target0/0:0:0:0"
	for link, target := range map[string]string{
		controller + "/driver":    "/bus/pci/drivers/ahci",
		controller + "/subsystem": "/bus/pci",
		disk + "/driver":          "/bus/scsi/drivers/sd",
		disk + "/subsystem":       "/bus/scsi",
		"class/block/sda/device":  sys + "/" + disk,
	} {
		path := filepath.Join(sys, link)
		if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.Symlink(target, path); err != nil {
			t.Fatal(err)
		}
	}
	write(t, sys+"/class/block/sda/size", "2048\n")
	write(t, sys+"/class/block/loop0/size", "0\n")
	write(t, sys+"/firmware/efi/systab", "")
	found := look(sys, 3)
	expected := device{Name: "sda", Driver: "ahci", Sectors: "2048"}
	if len(found.Disks) != 1 || found.Disks[0] != expected {
		t.Errorf("the disks are %v", found.Disks)
	}
	if found.Firmware != "UEFI" || found.Boots != 3 || found.TPM {
		t.Errorf("the machine is %+v", found)
	}
}

func write(t *testing.T, path, content string) {
	t.Helper()
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		t.Fatal(err)
	}
}
