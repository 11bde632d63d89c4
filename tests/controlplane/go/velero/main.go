// Command velero is Velero's own, but for a second metrics server that it has listen at a fixed port everywhere.
package main

import (
	"github.com/vmware-tanzu/velero/pkg/cmd"
	"github.com/vmware-tanzu/velero/pkg/cmd/velero"
	metrics "sigs.k8s.io/controller-runtime/pkg/metrics/server"
)

func main() {
	metrics.DefaultBindAddress = "0"
	cmd.CheckError(velero.NewCommand("velero").Execute())
}
