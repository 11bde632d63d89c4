package kubelet

import (
	"fmt"

	"twinhull.dev/guest/agent/internal/kube"
)

// Phases of a Pod that has ended.
const (
	Succeeded = "Succeeded"
	Failed    = "Failed"
)

// Find gives the Pod of a namespace and name.
func Find(pods []kube.Object, namespace, name string) kube.Object {
	for _, pod := range pods {
		metadata := kube.Map(pod, "metadata")
		if kube.Text(metadata, "name") == name && kube.Text(metadata, "namespace") == namespace {
			return pod
		}
	}
	return nil
}

// Ended is the phase of a Pod that has ended, "" while it hasn't. `settled` says that none of its containers
// runs any more: with activeDeadlineSeconds, the phase is Failed while they are still being stopped.
func Ended(pod kube.Object) (phase string, settled bool) {
	status := kube.Map(pod, "status")
	phase = kube.Text(status, "phase")
	if phase != Succeeded && phase != Failed {
		return "", false
	}
	for _, kind := range []string{"initContainerStatuses", "containerStatuses"} {
		for _, container := range kube.List(status, kind) {
			if kube.Map(kube.Map(container, "state"), "running") != nil {
				return phase, false
			}
		}
	}
	return phase, true
}

// Observed tells whether a Pod's status is of the Pod as it is now, and not as it was before a change.
func Observed(pod kube.Object) bool {
	generation, _ := kube.Integer(kube.Map(pod, "metadata"), "generation")
	observed, isSet := kube.Integer(kube.Map(pod, "status"), "observedGeneration")
	return isSet && observed >= generation
}

// Ready tells whether a Pod is ready, and in one line why or why not.
func Ready(pod kube.Object) (bool, string) {
	status := kube.Map(pod, "status")
	if status == nil {
		return false, "the kubelet hasn't said anything of the Pod yet"
	}
	phase := kube.Text(status, "phase")
	if phase == Succeeded || phase == Failed {
		return false, "the Pod has ended: " + phase
	}
	for _, condition := range kube.List(status, "conditions") {
		if kube.Text(condition, "type") == "Ready" && kube.Text(condition, "status") == "True" && phase == "Running" {
			return true, "the Pod is ready"
		}
	}
	return false, why(status)
}

// why is what keeps a Pod from being ready: the first container that waits for a reason of its own, or else the first condition
// that isn't True.
func why(status kube.Object) string {
	for _, kind := range []string{"initContainerStatuses", "containerStatuses"} {
		for _, container := range kube.List(status, kind) {
			waiting := kube.Map(kube.Map(container, "state"), "waiting")
			reason := kube.Text(waiting, "reason")
			if reason == "" || reason == "PodInitializing" || reason == "ContainerCreating" {
				continue
			}
			return fmt.Sprintf("container %s: %s: %s", kube.Text(container, "name"), reason, kube.Text(waiting, "message"))
		}
	}
	for _, wanted := range []string{"Initialized", "ContainersReady", "Ready"} {
		for _, condition := range kube.List(status, "conditions") {
			if kube.Text(condition, "type") == wanted && kube.Text(condition, "status") != "True" {
				return fmt.Sprintf("%s: %s", kube.Text(condition, "reason"), kube.Text(condition, "message"))
			}
		}
	}
	if message := kube.Text(status, "message"); message != "" {
		return kube.Text(status, "reason") + ": " + message
	}
	return "the Pod is " + kube.Text(status, "phase")
}
