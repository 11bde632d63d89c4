// Command twinhull-guest is all of the guest that is ours: the initramfs's init, PID 1, the agent, and the step
// before the OCI runtime. guest/README.md is its contract.
package main

import (
	"fmt"
	"os"
	"path/filepath"

	"twinhull.dev/guest/agent/internal/agent"
	"twinhull.dev/guest/agent/internal/boot"
	"twinhull.dev/guest/agent/internal/console"
	"twinhull.dev/guest/agent/internal/initramfs"
	"twinhull.dev/guest/agent/internal/runtime"
)

// version is set when the image is built.
var version = "dev"

func main() {
	part := filepath.Base(os.Args[0])
	if part == "twinhull-guest" && len(os.Args) > 1 {
		part = os.Args[1]
	}
	switch part {
	case "init":
		console.Fatal(initramfs.Run())
	case "boot":
		console.Fatal(boot.Run(version))
	case "agent":
		if err := agent.Run(version); err != nil {
			console.Print("%v", err)
			os.Exit(1)
		}
	case "twinhull-runtime":
		if err := runtime.Run(os.Args); err != nil {
			fmt.Fprintf(os.Stderr, "twinhull-runtime: %v\n", err)
			os.Exit(1)
		}
	case "version":
		fmt.Println(version)
	default:
		fmt.Fprintln(os.Stderr, "usage: twinhull-guest boot | agent | version")
		os.Exit(2)
	}
}
