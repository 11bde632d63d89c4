// Command reference-node makes the guest's own machine a node of the tests' control plane, so that a Pod can be
// run by the very kubelet, containerd, crun and kernel that a Workload's machine has, as Pods are run elsewhere:
// by an API server. tests/guest/reference boots it; it is no part of the image.
//
// It is the /init of an initrd that else is the image's, and takes the place of the image's program on the
// machine's disposable disk. All but the agent is that program's own.
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
