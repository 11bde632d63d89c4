package block

import (
	"os"
	"path/filepath"
	"testing"
)

func TestFindsADiskByItsSerial(t *testing.T) {
	sys := t.TempDir()
	for name, serial := range map[string]string{"vda": "guest", "vdb": "manifest\n", "vdc": "a-serial-of-twenty-c", "loop0": ""} {
		if err := os.Mkdir(filepath.Join(sys, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(sys, name, "serial"), []byte(serial), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	for serial, want := range map[string]string{
		"guest": "vda", "manifest": "vdb", "guest2": "", "a-serial-of-twenty-characters-and-more": "vdc",
	} {
		if got := Find(sys, serial); got != want {
			t.Errorf("%q: got %q, want %q", serial, got, want)
		}
	}
}
