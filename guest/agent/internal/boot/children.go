package boot

import (
	"twinhull.dev/guest/agent/internal/rundir"
	"twinhull.dev/guest/agent/internal/supervise"
)

// unkillable is the OOM score of what the Pod needs to go on (the kubelet's own is pkg/kubelet/qos/policy.go).
const unkillable = -999

func containerd() supervise.Child {
	return supervise.Child{
		Name: "containerd", Command: []string{"containerd"}, Environment: []string{"GOGC=40"},
		OOMScore: unkillable, Log: rundir.Log("containerd"), Shown: supervise.LogrusWarning,
	}
}

func agent() supervise.Child {
	return supervise.Child{
		Name: "agent", Command: []string{"/usr/sbin/twinhull-guest", "agent"}, Environment: []string{"GOGC=40"},
		OOMScore: unkillable, Log: rundir.Log("agent"), Shown: supervise.AllLines,
	}
}

func kubelet() supervise.Child {
	return supervise.Child{
		Name: "kubelet", Command: []string{"kubelet"}, Arguments: rundir.KubeletArgs, Environment: []string{"GOGC=40"},
		OOMScore: unkillable, Log: rundir.Log("kubelet"), Shown: supervise.KlogWarning,
	}
}
