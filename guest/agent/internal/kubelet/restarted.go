package kubelet

import (
	"time"

	"twinhull.dev/guest/agent/internal/kube"
)

// CaughtUp tells whether a kubelet that was started again knows as much of the Pod as the one before it. It takes containers for
// unready until it has probed them. So it has caught up once each container that was ready is ready, is another one, or doesn't
// run. `before` and `now` are the Pod as each of the two says it is.
func CaughtUp(before, now kube.Object) bool {
	if ready, _ := Ready(before); !ready {
		return true
	}
	for _, kind := range []string{"initContainerStatuses", "containerStatuses"} {
		known := map[string]kube.Object{}
		for _, container := range kube.List(kube.Map(now, "status"), kind) {
			known[kube.Text(container, "name")] = container
		}
		for _, was := range kube.List(kube.Map(before, "status"), kind) {
			is, listed := known[kube.Text(was, "name")]
			same := kube.Text(is, "containerID") == kube.Text(was, "containerID")
			runs := kube.Map(kube.Map(is, "state"), "running") != nil
			if !listed || kube.Truth(was, "ready") && same && runs && !kube.Truth(is, "ready") {
				return false
			}
		}
	}
	return true
}

// slack is how long a kubelet takes to start, without its probes.
const slack = 30 * time.Second

// Probing is how long a kubelet that was started again may take until it has probed all containers: it begins at some
// time within a probe's period (pkg/kubelet/prober/worker.go, run).
func Probing(pod kube.Object) time.Duration {
	longest := int64(0)
	for _, container := range kube.Containers(pod) {
		seconds := int64(0)
		for _, kind := range []string{"startupProbe", "readinessProbe"} {
			if probe := kube.Map(container, kind); probe != nil {
				seconds += number(probe, "periodSeconds", 10)*number(probe, "successThreshold", 1) + number(probe, "timeoutSeconds", 1)
			}
		}
		longest = max(longest, seconds)
	}
	return time.Duration(longest)*time.Second + slack
}

// number is a field of a probe, or its default (pkg/apis/core/v1/defaults.go, SetDefaults_Probe).
func number(object kube.Object, key string, byDefault int64) int64 {
	if found, _ := kube.Integer(object, key); found != 0 {
		return found
	}
	return byDefault
}
