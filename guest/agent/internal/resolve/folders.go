package resolve

import "twinhull.dev/guest/agent/internal/kube"

// folders turns claims that are mounted into the folders where they are, since a kubelet without an API server
// knows no claims. Whose their files are is KubeVirt's affair: a node gives them to fsGroup, if the claim's driver
// lets it, and the virtiofsd behind these can't.
func folders(in Input, out *Output) error {
	for _, volume := range kube.List(kube.Map(out.Pod, "spec"), "volumes") {
		claim := kube.Map(volume, "persistentVolumeClaim")
		folder := in.Claims.Folders[kube.Text(claim, "claimName")]
		if folder == "" {
			continue
		}
		delete(volume, "persistentVolumeClaim")
		volume["hostPath"] = kube.Object{"path": folder, "type": "Directory"}
		if kube.Truth(claim, "readOnly") {
			readOnly(out.Pod, kube.Text(volume, "name"))
		}
	}
	return nil
}
