// Command disk-system is all of the system on a disk that the tests bring from VMware and Hyper-V: the initramfs's init and
// the root file system's. tests/disksystem makes the disks. The guest's image doesn't have it.
package main

import (
	"os"

	"twinhull.dev/guest/agent/internal/console"
)

func main() {
	if len(os.Args) > 1 && os.Args[1] == "system" {
		console.Fatal(runSystem())
	}
	console.Fatal(findRoot())
}
