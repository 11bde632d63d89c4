// Command reference-node makes the guest's own machine a node of the tests' control plane. A Pod of an API server then runs by
// the same kubelet, containerd, crun and kernel as in a Workload's machine. tests/guest/reference boots it; the image doesn't
// have it.
//
// It is the /init of an initrd that otherwise is the image's. On the machine's disposable disk it replaces the image's program,
// and does all that this does but the agent's part.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"twinhull.dev/guest/agent/internal/boot"
	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/initramfs"
	"twinhull.dev/guest/agent/internal/runtime"
)

func main() {
	part := filepath.Base(os.Args[0])
	if part == "twinhull-guest" && len(os.Args) > 1 {
		part = os.Args[1]
	}
	switch part {
	case "init":
		if err := install(); err != nil {
			console.Fatal(err)
		}
		console.Fatal(initramfs.Run())
	case "boot":
		console.Fatal(boot.Run("reference"))
	case "agent":
		if err := join(); err != nil {
			console.Print("%v", err)
			os.Exit(1)
		}
	case "twinhull-runtime":
		if err := runtime.Run(os.Args); err != nil {
			fmt.Fprintf(os.Stderr, "twinhull-runtime: %v\n", err)
			os.Exit(1)
		}
	default:
		fmt.Fprintln(os.Stderr, "reference-node is the /init of the reference machine: see tests/guest/reference")
		os.Exit(2)
	}
}
