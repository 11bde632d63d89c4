// Command kubevirt-manifests prints, as one JSON list, what virt-operator would create for KubeVirt to be usable:
// kinds, rights, APIServices, webhook configurations, and virt-handler's DaemonSet.
// They are functions of KubeVirt's own Go packages, so this repository holds no copy of them, and each release that
// is built beside it prints its own.
//
//	kubevirt-manifests <namespace> <version> <virt-handler's image> <virt-launcher's image>
package main

import (
	"encoding/json"
	"fmt"
	"log"
	"os"

	"kubevirt.io/kubevirt/pkg/virt-operator/resource/generate/components"
	"kubevirt.io/kubevirt/pkg/virt-operator/resource/generate/install"
	operatorutil "kubevirt.io/kubevirt/pkg/virt-operator/util"
)

func main() {
	if len(os.Args) != 5 {
		log.Fatal("usage: kubevirt-manifests <namespace> <version> <virt-handler's image> <virt-launcher's image>")
	}
	manifests, err := all(os.Args[1], os.Args[2], os.Args[3], os.Args[4])
	if err == nil {
		err = json.NewEncoder(os.Stdout).Encode(manifests)
	}
	if err != nil {
		log.Fatal(err)
	}
}

func all(namespace, version, handler, launcher string) ([]any, error) {
	config := &operatorutil.KubeVirtDeploymentConfig{
		Namespace:            namespace,
		Registry:             "kubevirt.test", // of what nobody runs here; it must be said all the same
		KubeVirtVersion:      version,
		AdditionalProperties: map[string]string{operatorutil.AdditionalPropertiesNamePullPolicy: "IfNotPresent"},
	}
	config.VirtHandlerImage, config.VirtLauncherImage = handler, launcher // of an embedded struct since 1.9
	operator, err := components.NewKubeVirtCrd()
	if err != nil {
		return nil, fmt.Errorf("the kind KubeVirt: %w", err)
	}
	strategy, err := install.GenerateCurrentInstallStrategy(config, "", namespace)
	if err != nil {
		return nil, err
	}
	manifests := appended([]any{operator}, strategy.CRDs())
	manifests = appended(manifests, strategy.ServiceAccounts())
	manifests = appended(manifests, strategy.ClusterRoles())
	manifests = appended(manifests, strategy.ClusterRoleBindings())
	manifests = appended(manifests, strategy.Roles())
	manifests = appended(manifests, strategy.RoleBindings())
	manifests = appended(manifests, strategy.APIServices())
	manifests = appended(manifests, strategy.MutatingWebhookConfigurations())
	manifests = appended(manifests, strategy.ValidatingWebhookConfigurations())
	manifests = appended(manifests, strategy.DaemonSets())
	return manifests, nil
}

func appended[T any](manifests []any, more []T) []any {
	for _, manifest := range more {
		manifests = append(manifests, manifest)
	}
	return manifests
}
