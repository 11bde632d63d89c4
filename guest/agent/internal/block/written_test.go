package block

import (
	"os"
	"path/filepath"
	"testing"
)

func TestWhatIsWrittenToSomeDisksIsCounted(t *testing.T) {
	sys := t.TempDir()
	for name, stat := range map[string]string{
		"vda": "1 0 8 0 5 0 1000 0 0 0 0 0 0 0 0 0 0", // the root disk's
		"vdb": "    2046        0    16368       22     7001        3       40      900        0      100      922\n",
		"vdc": "1 0 8 0 5 0 2 0 0 0 0",
		"vdd": "",
	} {
		if err := os.Mkdir(filepath.Join(sys, name), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(sys, name, "stat"), []byte(stat), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	if got := Written(sys, []string{"/dev/vdb", "/dev/vdc", "/dev/vdd", "/dev/gone"}); got != 42 {
		t.Errorf("got %d", got)
	}
}
