module twinhull.dev/tests/controlplane/kubevirt-manifests

go 1.26.0

require kubevirt.io/kubevirt v1.8.4
