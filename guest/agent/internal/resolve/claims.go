package resolve

import "twinhull.dev/guest/agent/internal/kube"

// claimFolders makes mounted claims hostPath volumes of the folders that they are mounted at, since a kubelet without an API
// server knows no claims. It doesn't give the files of shared ones to fsGroup, as a node does if the claim's driver lets it: the
// virtiofsd behind them can't. Those of claims that are disks were given before.
func claimFolders(in Input, out *Output) error {
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
