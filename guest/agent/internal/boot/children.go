package boot

import (
	"fmt"

	"twinhull.dev/guest/agent/internal/rundir"
	"twinhull.dev/guest/agent/internal/supervise"
)

// unkillable is the OOM score of what the Pod needs to go on (the kubelet's own is pkg/kubelet/qos/policy.go).
const unkillable = -999

// logged is where a child's own log goes, of which the console shows only the warnings.
func logged(name string) string { return fmt.Sprintf("%s/%s.log", rundir.Root, name) }

func containerd() supervise.Child {
	return supervise.Child{
		Name: "containerd", Command: []string{"containerd"}, Environment: []string{"GOGC=40"},
		OOMScore: unkillable, Log: logged("containerd"), Telling: supervise.LogrusWarning,
	}
}

func agent() supervise.Child {
	return supervise.Child{
		Name: "agent", Command: []string{"/usr/sbin/twinhull-guest", "agent"}, Environment: []string{"GOGC=40"},
		OOMScore: unkillable, Log: logged("agent"), Telling: supervise.Every,
	}
}

func kubelet() supervise.Child {
	return supervise.Child{
		Name: "kubelet", Command: []string{"kubelet"}, Arguments: rundir.KubeletArgs, Environment: []string{"GOGC=40"},
		OOMScore: unkillable, Log: logged("kubelet"), Telling: supervise.KlogWarning,
	}
}
