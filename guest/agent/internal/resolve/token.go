package resolve

import (
	"strings"

	"twinhull.dev/guest/agent/internal/kube"
)

const (
	tokenPath   = "/var/run/secrets/kubernetes.io/serviceaccount"
	tokenVolume = "kube-api-access-"
)

// token adds the ServiceAccount's volume, as plugin/pkg/admission/serviceaccount/admission.go,
// mountServiceAccountToken does. Its ca.crt comes from KubeVirt's copy of the same ConfigMap.
func token(in Input, out *Output) error {
	spec := kube.Map(out.Pod, "spec")
	if _, given := in.Objects.First(kube.ServiceAccount); !given || spec["automountServiceAccountToken"] == false {
		return nil
	}
	name, has := tokenVolume+"twinhull", false
	for _, volume := range kube.List(spec, "volumes") {
		if strings.HasPrefix(kube.Text(volume, "name"), tokenVolume) {
			name, has = kube.Text(volume, "name"), true
			break
		}
	}
	needed := false
	for _, container := range kube.Containers(out.Pod) {
		if mountsAt(container, tokenPath) {
			continue
		}
		needed = true
		kube.Append(container, "volumeMounts", kube.Object{"name": name, "mountPath": tokenPath, "readOnly": true})
	}
	if needed && !has {
		kube.Append(spec, "volumes", kube.Object{"name": name, "projected": kube.Object{"sources": []any{
			kube.Object{"serviceAccountToken": kube.Object{"path": "token"}},
			kube.Object{"serviceAccountCA": kube.Object{"path": "ca.crt"}},
			kube.Object{"downwardAPI": kube.Object{"items": []any{
				kube.Object{"path": "namespace", "fieldRef": kube.Object{"fieldPath": "metadata.namespace"}},
			}}},
		}}})
	}
	return nil
}

func mountsAt(container kube.Object, path string) bool {
	for _, mount := range kube.List(container, "volumeMounts") {
		if kube.Text(mount, "mountPath") == path {
			return true
		}
	}
	return false
}
