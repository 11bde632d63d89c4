package resolve

import "twinhull.dev/guest/agent/internal/kube"

// clusterOnly are fields that mean something to an API server or a scheduler only, and that a static Pod may
// not have (pkg/api/pod, HasAPIObjectReference) or a kubelet would misread: taints, readiness gates that
// nobody sets. serviceAccountName and imagePullSecrets are done outside of the Pod.
var clusterOnly = []string{
	"affinity", "nodeSelector", "tolerations", "topologySpreadConstraints", "schedulerName", "schedulingGates",
	"schedulingGroup", "priorityClassName", "priority", "preemptionPolicy", "runtimeClassName", "overhead",
	"serviceAccountName", "serviceAccount", "automountServiceAccountToken", "nodeName", "imagePullSecrets",
	"resourceClaims", "readinessGates", "setHostnameAsFQDN",
}

// removeClusterOnly takes these fields out of the Pod.
func removeClusterOnly(_ Input, out *Output) error {
	spec := kube.Map(out.Pod, "spec")
	for _, field := range clusterOnly {
		delete(spec, field)
	}
	return nil
}
