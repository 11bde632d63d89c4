// Command manifests prints, as one JSON list, what virt-operator would create for KubeVirt to be usable:
// CustomResourceDefinitions, the ClusterRoles for users, APIServices and webhook configurations.
// They are functions of KubeVirt's own Go packages, so this repository holds no copy of them.
package main

import (
	"encoding/json"
	"log"
	"os"

	extv1 "k8s.io/apiextensions-apiserver/pkg/apis/apiextensions/v1"

	"kubevirt.io/kubevirt/pkg/virt-operator/resource/generate/components"
	"kubevirt.io/kubevirt/pkg/virt-operator/resource/generate/rbac"
)

const namespace = "kubevirt"

// The list of GenerateCurrentInstallStrategy in pkg/virt-operator/resource/generate/install, and the operator's own kind.
var crds = []func() (*extv1.CustomResourceDefinition, error){
	components.NewKubeVirtCrd,
	components.NewVirtualMachineInstanceCrd, components.NewPresetCrd, components.NewReplicaSetCrd,
	components.NewVirtualMachineCrd, components.NewVirtualMachineInstanceMigrationCrd,
	components.NewVirtualMachineSnapshotCrd, components.NewVirtualMachineSnapshotContentCrd,
	components.NewVirtualMachineRestoreCrd, components.NewVirtualMachineInstancetypeCrd,
	components.NewVirtualMachineClusterInstancetypeCrd, components.NewVirtualMachinePoolCrd,
	components.NewMigrationPolicyCrd, components.NewVirtualMachinePreferenceCrd,
	components.NewVirtualMachineClusterPreferenceCrd, components.NewVirtualMachineExportCrd,
	components.NewVirtualMachineCloneCrd, components.NewVirtualMachineBackupCrd,
	components.NewVirtualMachineBackupTrackerCrd,
}

func main() {
	var manifests []any
	for _, newCRD := range crds {
		crd, err := newCRD()
		if err != nil {
			log.Fatal(err)
		}
		manifests = append(manifests, crd)
	}
	for _, object := range rbac.GetAllCluster() {
		manifests = append(manifests, object)
	}
	for _, service := range components.NewVirtAPIAPIServices(namespace) {
		manifests = append(manifests, service)
	}
	manifests = append(manifests,
		components.NewVirtAPIMutatingWebhookConfiguration(namespace),
		components.NewVirtAPIValidatingWebhookConfiguration(namespace),
	)
	if err := json.NewEncoder(os.Stdout).Encode(manifests); err != nil {
		log.Fatal(err)
	}
}
