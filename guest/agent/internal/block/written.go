package block

import (
	"os"
	"path/filepath"
	"strconv"
	"strings"
)

// sectorsWritten is the place of that count in a disk's stat (linux/Documentation/block/stat.rst).
const sectorsWritten = 6

// Written is how much was ever written to disks, in sectors. It goes up while what is in memory is written out. `sys` is
// /sys/block; `devices` are files such as /dev/vdb.
func Written(sys string, devices []string) (sectors uint64) {
	for _, device := range devices {
		data, _ := os.ReadFile(filepath.Join(sys, filepath.Base(device), "stat"))
		if counts := strings.Fields(string(data)); len(counts) > sectorsWritten {
			count, _ := strconv.ParseUint(counts[sectorsWritten], 10, 64)
			sectors += count
		}
	}
	return sectors
}
