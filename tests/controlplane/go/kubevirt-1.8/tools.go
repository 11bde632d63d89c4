//go:build tools

// Package tools names the programs of KubeVirt's that are built here, so that go.mod and go.sum have all they need.
package tools

import (
	_ "kubevirt.io/kubevirt/cmd/virt-api"
	_ "kubevirt.io/kubevirt/cmd/virt-chroot"
	_ "kubevirt.io/kubevirt/cmd/virt-controller"
	_ "kubevirt.io/kubevirt/cmd/virt-handler"
	_ "kubevirt.io/kubevirt/cmd/virt-launcher"
	_ "kubevirt.io/kubevirt/cmd/virt-launcher-monitor"
	_ "kubevirt.io/kubevirt/cmd/virt-launcher/libvirt-hook-client"
	_ "kubevirt.io/kubevirt/cmd/virt-tail"
	_ "twinhull.dev/tests/controlplane/kubevirt-manifests"
)
