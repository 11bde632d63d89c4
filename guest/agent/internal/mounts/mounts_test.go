package mounts

import (
	"reflect"
	"strings"
	"testing"
)

func TestMountsAreReadAsTheKernelListsThem(t *testing.T) {
	list, err := parse(strings.NewReader(`21 1 254:0 / / rw,noatime shared:1 - ext4 /dev/vda rw
30 21 0:28 / /run/twinhull/attachments/claim-0 rw,relatime shared:9 master:2 - virtiofs claim-0 rw
31 21 254:16 / /mnt/a\040b\134c rw - xfs /dev/vdb rw
`))
	want := []Mount{
		{"/", "ext4", "/dev/vda"},
		{"/run/twinhull/attachments/claim-0", "virtiofs", "claim-0"},
		{`/mnt/a b\c`, "xfs", "/dev/vdb"},
	}
	if err != nil || !reflect.DeepEqual(list, want) {
		t.Errorf("got %q, %v", list, err)
	}
}

func TestOnlyAFileSystemOfABlockDeviceIsADisk(t *testing.T) {
	for mount, want := range map[Mount]bool{
		{"/", "ext4", "/dev/vda"}:                true,
		{"/a", "iso9660", "/dev/vdb"}:            true,
		{"/claim", "virtiofs", "claim-0"}:        false,
		{"/claim", "virtiofs", "dev"}:            false,
		{"/run", "tmpfs", "tmpfs"}:               false,
		{"/nfs", "nfs4", "server:/dev/x"}:        false,
		{"/ntfs", "fuseblk", "/dev/vdc"}:         false,
		{"/ssh", "fuse.sshfs", "/dev/somewhere"}: false,
	} {
		if got := mount.IsDisk(); got != want {
			t.Errorf("%+v: got %v", mount, got)
		}
	}
}

func TestProcIsMountedAndAFileIsNot(t *testing.T) {
	if !At("/proc") || At("/proc/self") {
		t.Error("what is mounted isn't told apart")
	}
}
