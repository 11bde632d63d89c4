package resolve

import (
	"path/filepath"

	"twinhull.dev/guest/agent/internal/kube"
)

// agentSources are the volume sources that the agent writes, since the kubelet would ask an API server for them
// (pkg/api/pod, HasAPIObjectReference). emptyDir and image stay the kubelet's.
var agentSources = []string{"configMap", "secret", "projected", "downwardAPI"}

// volumes turns each such volume into a folder of the machine, mounted read-only as these kinds always are
// (GetAttributes of pkg/volume/{configmap,secret,projected,downwardapi}).
func volumes(in Input, out *Output) error {
	spec := kube.Map(out.Pod, "spec")
	for _, volume := range kube.List(spec, "volumes") {
		name := kube.Text(volume, "name")
		for _, kind := range agentSources {
			if kube.Map(volume, kind) == nil {
				continue
			}
			readOnly(out.Pod, name)
			out.Volumes = append(out.Volumes, kube.Clone(volume))
			delete(volume, kind)
			volume["hostPath"] = kube.Object{"path": filepath.Join(in.Volumes, name), "type": "Directory"}
		}
	}
	return nil
}

// readOnly makes all mounts of a volume so.
func readOnly(pod kube.Object, volume string) {
	for _, container := range kube.Containers(pod) {
		for _, mount := range kube.List(container, "volumeMounts") {
			if kube.Text(mount, "name") == volume {
				mount["readOnly"] = true
			}
		}
	}
}

// AgentVolumes are the volumes of a Pod that the agent writes, as the Pod has them.
func AgentVolumes(in Input) ([]kube.Object, error) {
	out := Output{Pod: kube.Clone(in.Pod)}
	for _, step := range []step{token, volumes} {
		if err := step(in, &out); err != nil {
			return nil, err
		}
	}
	return out.Volumes, nil
}
