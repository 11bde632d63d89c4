// Command shim is gVisor's own containerd-shim-runsc-v1, but for its OOM score: it asks for the kernel's lowest, which takes
// CAP_SYS_RESOURCE, and doesn't start without. Nodes of the tests may lack that. In a user namespace it goes on without, so
// it is told that it is in one; it asks for nothing else that.
package main

import (
	"sync"
	_ "unsafe" // for go:linkname

	_ "github.com/containerd/containerd/pkg/userns"
	"gvisor.dev/gvisor/shim/v1/cli"
)

//go:linkname asked github.com/containerd/containerd/pkg/userns.nsOnce
var asked sync.Once

//go:linkname inUserNamespace github.com/containerd/containerd/pkg/userns.inUserNS
var inUserNamespace bool

func main() {
	asked.Do(func() { inUserNamespace = true })
	cli.Main()
}
