package resolve

import (
	"fmt"

	"twinhull.dev/guest/agent/internal/kube"
)

// devices takes block claims out of the Pod: a kubelet without an API server knows no claims, so the runtime
// step gives their devices to the containers (pkg/kubelet/kubelet_pods.go, makeBlockVolumes).
func devices(in Input, out *Output) error {
	spec := kube.Map(out.Pod, "spec")
	claims := map[string]kube.Object{}
	var others []any
	for _, volume := range kube.List(spec, "volumes") {
		if claim := kube.Map(volume, "persistentVolumeClaim"); claim != nil {
			claims[kube.Text(volume, "name")] = claim
		} else {
			others = append(others, volume)
		}
	}
	if len(claims) == 0 {
		return nil
	}
	spec["volumes"] = others
	for _, container := range kube.Containers(out.Pod) {
		name := kube.Text(container, "name")
		for _, mount := range kube.List(container, "volumeMounts") {
			if claim := claims[kube.Text(mount, "name")]; claim != nil {
				return fmt.Errorf("container %s: there is no file system for volume %s (PersistentVolumeClaim %s)",
					name, kube.Text(mount, "name"), kube.Text(claim, "claimName"))
			}
		}
		for _, wanted := range kube.List(container, "volumeDevices") {
			claim := claims[kube.Text(wanted, "name")]
			source := in.Claims.Devices[kube.Text(claim, "claimName")]
			if claim == nil || source == "" {
				return fmt.Errorf("container %s: there is no block device for volume %s (PersistentVolumeClaim %s)",
					name, kube.Text(wanted, "name"), kube.Text(claim, "claimName"))
			}
			permissions := "rwm"
			if kube.Truth(claim, "readOnly") {
				permissions = "r"
			}
			out.Devices[name] = append(out.Devices[name],
				Device{Path: kube.Text(wanted, "devicePath"), Source: source, Permissions: permissions})
		}
		delete(container, "volumeDevices")
	}
	return nil
}
