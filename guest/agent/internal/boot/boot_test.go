package boot

import (
	"encoding/binary"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"testing"
	"time"
)

func event(kind, code uint16, value uint32) []byte {
	made := make([]byte, eventSize)
	binary.LittleEndian.PutUint16(made[16:], kind)
	binary.LittleEndian.PutUint16(made[18:], code)
	binary.LittleEndian.PutUint32(made[20:], value)
	return made
}

func TestOnlyAPressOfThePowerKeyCounts(t *testing.T) {
	for name, c := range map[string]struct {
		events []byte
		want   bool
	}{
		"press":        {append(event(1, 116, 1), event(0, 0, 0)...), true},
		"second":       {append(event(0, 0, 0), event(1, 116, 1)...), true},
		"release":      {event(1, 116, 0), false},
		"another key":  {event(1, 30, 1), false},
		"another kind": {event(4, 116, 1), false},
		"half":         {event(1, 116, 1)[:20], false},
		"none":         {nil, false},
	} {
		if got := powerPressed(c.events); got != c.want {
			t.Errorf("%s: got %v", name, got)
		}
	}
}

func TestPvpanicIsADeviceWithItsDriver(t *testing.T) {
	for path, want := range map[string]bool{
		"platform/drivers/pvpanic-mmio/QEMU0001:00": true,
		"acpi/drivers/pvpanic-mmio/QEMU0001:00":     true,
		"pci/drivers/pvpanic-pci/0000:00:03.0":      true,
		"platform/drivers/pvpanic-mmio/uevent":      false,
		"pci/drivers/pvpanic-pci/new_id":            false,
	} {
		bus := t.TempDir()
		if err := os.MkdirAll(filepath.Join(bus, path), 0o755); err != nil {
			t.Fatal(err)
		}
		if got := hasPvpanic(bus); got != want {
			t.Errorf("%s: got %v", path, got)
		}
	}
}

func TestGracePeriod(t *testing.T) {
	for text, want := range map[string]time.Duration{"30": 30 * time.Second, "0\n": 0, "-1": 0, "x": 0, "": 0} {
		if got := gracePeriod([]byte(text), nil); got != want {
			t.Errorf("%q: got %s", text, got)
		}
	}
	if got := gracePeriod(nil, os.ErrNotExist); got != 0 {
		t.Errorf("got %s", got)
	}
}

func TestOnlyASuccessEndsAsOne(t *testing.T) {
	for outcome, want := range map[string]bool{"Succeeded": false, "Succeeded\n": false, "Failed": true, "": true} {
		if got := endingOf(outcome, time.Time{}).failed; got != want {
			t.Errorf("%q: failed is %v", outcome, got)
		}
	}
}

func TestAPanickedMachineDoesNotHangForEver(t *testing.T) {
	if !slices.Contains(sysctls, [2]string{"kernel/panic", "10"}) {
		t.Errorf("got %q", sysctls)
	}
}

func TestModuleNames(t *testing.T) {
	list := filepath.Join(t.TempDir(), "modules")
	if err := os.WriteFile(list, []byte("# what is needed\noverlay\n\n  virtiofs # shares\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	if got, want := moduleNames(list), []string{"overlay", "virtiofs"}; !reflect.DeepEqual(got, want) {
		t.Errorf("got %q", got)
	}
}

func TestReserveIsTheKernelsOwn(t *testing.T) {
	for memory, want := range map[int]int{733 << 10: 3465, 1: 128, 1 << 40: 256 << 10} {
		if got := minFree(memory); got != want {
			t.Errorf("of %d KiB: got %d", memory, got)
		}
	}
}
