"""Evasions: each field that reaches past an isolation to the node, and similar fields that don't."""

from __future__ import annotations

from typing import Any

import pytest

from twinhull.api.base import Raw
from twinhull.api.injectors import INJECTORS, is_of_domain
from twinhull.api.isolation import Isolation
from twinhull.api.workload import WorkloadSpec
from twinhull.core.revision import Content
from twinhull.hulls.evasion import of_reference
from twinhull.hulls.types import type_giving, type_of

CALLED = "the node connects to it, from its own network"
DEVICES = "they are devices of the node"
GIVES_DEVICES = "it gives access to the node's devices"
NETWORKS = "it attaches networks of the node, in addition to the cluster's"
KUBEVIRTS = "it configures KubeVirt or its launcher"
RUNTIMES = "it configures the container runtime"
SELINUX = "it chooses how the node's SELinux confines the sandbox"
UNCONFINED = "it removes a confinement by which the node protects itself from the sandbox"


def template(metadata: Raw | None = None, *, pod: Raw | None = None, **container: Any) -> WorkloadSpec:
    """A template with this metadata, and with these fields of the Pod's spec and of its only container."""
    pod_spec = {"containers": [{"name": "web", "image": "nginx:1", **container}], **(pod or {})}
    return WorkloadSpec.model_validate({"template": {"metadata": metadata or {}, "spec": pod_spec}})


def overriding(**overrides: Any) -> WorkloadSpec:
    containers = {"spec": {"containers": [{"name": "web", "image": "nginx:1"}]}}
    return WorkloadSpec.model_validate({"template": containers, "virtualMachine": {"overrides": overrides}})


def secured(**context: Any) -> WorkloadSpec:
    return template(securityContext=context)


def evasions_of(spec: WorkloadSpec, isolation: Isolation) -> list[tuple[str, str]]:
    return [(evasion.path, evasion.why) for evasion in type_giving(isolation).evasions(spec)]


#: Fields that reach past a sandbox: the path, why, and the Workload.
PAST_SANDBOX: list[tuple[str, str, WorkloadSpec]] = [
    (
        "containers[web].ports[0].hostPort",
        "it is a port of the node",
        template(ports=[{"containerPort": 80, "hostPort": 80}]),
    ),
    (
        "initContainers[first].ports[dns].hostPort",
        "it is a port of the node",
        template(
            pod={"initContainers": [{"name": "first", "ports": [{"name": "dns", "hostPort": 53}]}]},
        ),
    ),
    ("resourceClaims", DEVICES, template(pod={"resourceClaims": [{"name": "gpu"}]})),
    (
        "containers[web].resources.limits.nvidia.com/gpu",
        DEVICES,
        template(resources={"limits": {"cpu": "1", "nvidia.com/gpu": 1}}),
    ),
    (
        "containers[web].resources.requests.devices.kubevirt.io/kvm",
        DEVICES,
        template(resources={"requests": {"devices.kubevirt.io/kvm": "1"}}),
    ),
    (
        "resources.limits.vendor.example/fpga",
        DEVICES,
        template(pod={"resources": {"limits": {"vendor.example/fpga": "2"}}}),
    ),
    (
        "containers[web].securityContext.seLinuxOptions.type",
        SELINUX,
        secured(seLinuxOptions={"type": "spc_t"}),
    ),
    (
        "containers[web].securityContext.seLinuxOptions.user",
        SELINUX,
        secured(seLinuxOptions={"user": "system_u"}),
    ),
    (
        "containers[web].securityContext.seLinuxOptions.role",
        SELINUX,
        secured(seLinuxOptions={"role": "sysadm_r"}),
    ),
    (
        "securityContext.seLinuxOptions.type",
        SELINUX,
        template(pod={"securityContext": {"seLinuxOptions": {"type": "unconfined_t"}}}),
    ),
    (
        "containers[web].securityContext.appArmorProfile.type",
        UNCONFINED,
        secured(appArmorProfile={"type": "Unconfined"}),
    ),
    (
        "securityContext.seccompProfile.type",
        UNCONFINED,
        template(pod={"securityContext": {"seccompProfile": {"type": "Unconfined"}}}),
    ),
    (
        "containers[web].livenessProbe.httpGet.host",
        CALLED,
        template(livenessProbe={"httpGet": {"host": "127.0.0.1", "port": 10250}}),
    ),
    (
        "containers[web].lifecycle.postStart.tcpSocket.host",
        CALLED,
        template(lifecycle={"postStart": {"tcpSocket": {"host": "169.254.169.254", "port": 80}}}),
    ),
]

#: Overrides that give a machine something of its node.
PAST_MACHINE: list[tuple[str, str, WorkloadSpec]] = [
    ("resourceClaims", DEVICES, overriding(resourceClaims=[{"name": "gpu"}])),
    (
        "networks[lan].multus",
        "it is a network of the node, in addition to the cluster's",
        overriding(
            networks=[{"name": "default", "pod": {}}, {"name": "lan", "multus": {"networkName": "lan"}}]
        ),
    ),
    (
        "domain.resources.limits.nvidia.com/gpu",
        DEVICES,
        overriding(domain={"resources": {"limits": {"nvidia.com/gpu": "1"}}}),
    ),
    (
        "readinessProbe.httpGet.host",
        CALLED,
        overriding(readinessProbe={"httpGet": {"host": "127.0.0.1", "port": 10250}}),
    ),
    (
        "livenessProbe.tcpSocket.host",
        CALLED,
        overriding(livenessProbe={"tcpSocket": {"host": "10.0.0.1", "port": 22}}),
    ),
]

#: Annotations that reach past a sandbox and past a machine.
ANNOTATIONS: dict[str, str] = {
    "container.apparmor.security.beta.kubernetes.io/compute": "it chooses the node's AppArmor profile",
    "k8s.v1.cni.cncf.io/networks": NETWORKS,
    "k8s.v1.cni.cncf.io/resourceName": NETWORKS,
    "v1.multus-cni.io/default-network": NETWORKS,
    "cdi.k8s.io/vendor": GIVES_DEVICES,
    "devices.nri.io/container.web": RUNTIMES,
    "mounts.nri.io/pod": RUNTIMES,
    "devices.noderesource.dev/container.web": RUNTIMES,
    "mounts.noderesource.dev/pod": RUNTIMES,
    "mounts.noderesource.dev": RUNTIMES,
    "cdi-devices.noderesource.dev/container.compute": RUNTIMES,
    "closid.rdt.noderesource.dev/container.web": RUNTIMES,
    "rdt.resources.beta.kubernetes.io/pod": RUNTIMES,
    "blockio.resources.beta.kubernetes.io/container.web": RUNTIMES,
    "nvidia.cdi.k8s.io/container.web": GIVES_DEVICES,
    "devices.gke.io/container.web": GIVES_DEVICES,
    "networking.gke.io/interfaces": NETWORKS,
    "networking.gke.io/default-interface": NETWORKS,
    "danm.io/interfaces": NETWORKS,
    "danm.k8s.io/interfaces": NETWORKS,
    "k8s.aliyun.com/pod-networks": NETWORKS,
    "tke.cloud.tencent.com/networks": NETWORKS,
    "k8s.ovn.org/routing-namespaces": "it routes traffic of other namespaces through the Pod",
    "io.microsoft.virtualmachine.console.pipe": RUNTIMES,
    "microsoft.com/hostprocess-container": "it asks for a process of the node",
    "run.oci.handler": RUNTIMES,
    "krun.disk.0.path": RUNTIMES,
    "org.systemd.property.ExecStartPre": RUNTIMES,
    "io.kubernetes.cri-o.Devices": RUNTIMES,
    "io.kubernetes.cri.blockio-class": RUNTIMES,
    "seccomp-profile.kubernetes.cri-o.io/POD": RUNTIMES,
    "cgroup2-mount-hierarchy-rw.crio.io": RUNTIMES,
    "io.containers.trace-syscall": RUNTIMES,
    "kubevirt.io/libvirt-log-filters": KUBEVIRTS,
    "kubevirt.io/keep-launcher-alive-after-failure": KUBEVIRTS,
    "kubevirt.io/ignitiondata": KUBEVIRTS,
    "kubevirt.io/qgs-socket-path": KUBEVIRTS,
    "alpha.kubevirt.io/EmulatorThreadCompleteToEvenParity": KUBEVIRTS,
    "kubevirt.io/func-test-virt-launcher-fail-fast": "it changes what KubeVirt runs",
}
LABELS = (
    "kubevirt.io",
    "kubevirt.io/created-by",
    "vmi.kubevirt.io/id",
    "alpha.kubevirt.io/auto-memory-limits-ratio",
)


@pytest.mark.parametrize(("where", "why", "spec"), PAST_SANDBOX, ids=[case[0] for case in PAST_SANDBOX])
def test_a_sandbox_is_reached_past(where: str, why: str, spec: WorkloadSpec) -> None:
    path = where if where.startswith("spec.") else f"spec.template.spec.{where}"
    assert evasions_of(spec, Isolation.SANDBOX) == [(path, why)]
    assert evasions_of(spec, Isolation.CONTAINER) == []


@pytest.mark.parametrize(("where", "why", "spec"), PAST_MACHINE, ids=[case[0] for case in PAST_MACHINE])
def test_a_machine_is_reached_past(where: str, why: str, spec: WorkloadSpec) -> None:
    assert evasions_of(spec, Isolation.VIRTUAL_MACHINE) == [(f"spec.virtualMachine.overrides.{where}", why)]
    assert evasions_of(spec, Isolation.SANDBOX) == [], "a Pod has no overrides"


@pytest.mark.parametrize("key", ANNOTATIONS)
@pytest.mark.parametrize("isolation", [Isolation.SANDBOX, Isolation.VIRTUAL_MACHINE])
def test_an_annotation_reaches_past_both(key: str, isolation: Isolation) -> None:
    annotated = template({"annotations": {key: "unconfined", "note": "x"}})
    assert evasions_of(annotated, isolation) == [
        (f"spec.template.metadata.annotations[{key}]", ANNOTATIONS[key])
    ]


ADDS = "it tells a webhook what to add to the Pod"
#: Annotations by which a template tells a webhook what to add: a volume or rights, and what it may tell where
#: every container is in a sandbox.
ADDING = (
    *("sidecar.istio.io/userVolume", "sidecar.istio.io/userVolumeMount", "proxy.istio.io/overrides"),
    *("sidecar.istio.io/enableCoreDump", "sidecar.istio.io/unknown", "new.istio.io/image"),
    *("config.linkerd.io/close-wait-timeout", "config.linkerd.io/unknown", "new.linkerd.io/image"),
    *("vault.hashicorp.com/agent-json-patch", "vault.hashicorp.com/agent-init-json-patch"),
    *("consul.hashicorp.com/consul-sidecar-user-volume", "consul.hashicorp.com/original-pod"),
    *("dapr.io/unix-domain-socket-path", "dapr.io/sidecar-seccomp-profile-type"),
    *("dapr.io/inject-pluggable-components", "traffic.kuma.io/transparent-proxy-config"),
    *("admission.datadoghq.com/config.mode", "openbao.org/agent-json-patch", "conjur.org/other"),
)
CONTAINED = (
    *("sidecar.istio.io/proxyImage", "sidecar.istio.io/bootstrapOverride", "proxy.istio.io/config"),
    *("config.linkerd.io/proxy-image", "config.linkerd.io/init-image-version"),
    *("vault.hashicorp.com/agent-image", "vault.hashicorp.com/agent-inject-command-x"),
    *("vault.hashicorp.com/agent-inject-template-x", "vault.hashicorp.com/secret-volume-path"),
    *(
        "consul.hashicorp.com/envoy-extra-args",
        "openbao.openbao.org/agent-image",
        "conjur.org/container-image",
    ),
    *("apm.datadoghq.com/env", "dapr.io/sidecar-image", "dapr.io/volume-mounts"),
    *("kuma.io/sidecar-env-vars", "admission.datadoghq.com/java-lib.custom-image"),
    *("appmesh.k8s.aws/sidecarEnv", "vault.security.banzaicloud.io/vault-env-image"),
)
SWITCHES = {
    "sidecar.istio.io/inject": "true",
    "sidecar.istio.io/logLevel": "debug",
    "sidecar.istio.io/componentLogLevel": "upstream:debug,connection:trace",
    "sidecar.istio.io/proxyCPU": "100m",
    "sidecar.istio.io/rewriteAppHTTPProbers": "true",
    "inject.istio.io/templates": "sidecar,spire",
    "traffic.sidecar.istio.io/includeOutboundIPRanges": "10.0.0.0/8,fd00::/8",
    "traffic.sidecar.istio.io/excludeInboundPorts": "9090, 9091\n",
    "linkerd.io/inject": "enabled",
    "config.linkerd.io/proxy-log-level": "linkerd=debug,warn",
    "config.linkerd.io/skip-outbound-ports": "4222,25-27",
    "config.linkerd.io/proxy-require-identity-inbound-ports": "8080",
    "config.linkerd.io/proxy-require-tls-inbound-ports": "8443",
    "vault.hashicorp.com/agent-inject": "true",
    "vault.hashicorp.com/agent-inject-secret-x": "internal/data/x",
    "vault.hashicorp.com/role": "web",
    "consul.hashicorp.com/connect-inject": "true",
    "dapr.io/enabled": "true",
    "dapr.io/app-id": "web",
    "kuma.io/gateway": "enabled",
    "instrumentation.opentelemetry.io/inject-java": "true",
    "ad.datadoghq.com/web.logs": '[{"source": "web"}]',
    "notistio.io/image": '{"a": 1}',
}
EITHER = [Isolation.SANDBOX, Isolation.VIRTUAL_MACHINE]


@pytest.mark.parametrize("key", [*ADDING, *CONTAINED])
@pytest.mark.parametrize("isolation", EITHER)
def test_a_template_tells_no_webhook_what_to_add(key: str, isolation: Isolation) -> None:
    annotated = template({"annotations": {key: "x", "note": "x"}})
    harmless = key in CONTAINED and isolation is Isolation.SANDBOX
    expected = [] if harmless else [(f"spec.template.metadata.annotations[{key}]", ADDS)]
    assert evasions_of(annotated, isolation) == expected
    assert evasions_of(annotated, Isolation.CONTAINER) == []


@pytest.mark.parametrize("isolation", EITHER)
def test_a_webhook_may_be_switched_on_and_sized(isolation: Isolation) -> None:
    assert evasions_of(template({"annotations": SWITCHES}), isolation) == []


@pytest.mark.parametrize(
    "value", ["info\n    image: evil/x", 'a"\n  - name: b', "[a]", "{a: b}", "\n image: x", "a #", "$(A)"]
)
@pytest.mark.parametrize("isolation", EITHER)
def test_a_value_that_a_webhook_pastes_brings_no_other_field(value: str, isolation: Isolation) -> None:
    for key in ("sidecar.istio.io/logLevel", "config.linkerd.io/proxy-log-level"):
        ((path, why),) = evasions_of(template({"annotations": {key: value}}), isolation)
        assert path == f"spec.template.metadata.annotations[{key}]"
        assert why.startswith("a webhook writes its value into what it adds to the Pod: use one line")
    image = template({"annotations": {"sidecar.istio.io/proxyImage": value}})
    assert evasions_of(image, Isolation.SANDBOX), "not even where another image is harmless"


MAPPINGS = (
    '{ "holdApplicationUntilProxyStarts": true }',
    'proxyMetadata:\n  ISTIO_META_DNS_CAPTURE: "true"\n',
    "drainDuration: 30s\nconcurrency: 2",
    '{"DD_TAGS": "[team:a]", "DD_ENV": ""}',
    "concurrency: 4",
    "proxyMetadata:\n  ISTIO_META_DNS_CAPTURE: 'true'  \n# for the nodes' DNS\n  'A': \"b\"",
    "concurrency: 4\r\ndrainDuration: 30s\r\n",
)


@pytest.mark.parametrize("key", ["proxy.istio.io/config", "apm.datadoghq.com/env"])
def test_a_mapping_that_a_webhook_reads_may_be_written_as_people_do(key: str) -> None:
    for value in MAPPINGS:
        assert evasions_of(template({"annotations": {key: value}}), Isolation.SANDBOX) == []
    for value in (
        r'{"A": "x\"y"}',
        '{"A": "x\ny"}',
        "A: |\n  x",
        "A: x\n\n  y",
        "A: a'b'",
        "A: 'a''b'",
        'A: a"b"c',
        'A: "a"b',
        "A: a\r\r\n  b",
        "A: x # 'y'",
        '{"A": "x}',
        "A: x\u2028y",
    ):
        ((_, why),) = evasions_of(template({"annotations": {key: value}}), Isolation.SANDBOX)
        assert why.startswith("a webhook writes its values into what it adds to the Pod: use lines of")


def test_what_istio_notes_on_a_pod_and_its_buckets_are_json() -> None:
    annotations = {
        "sidecar.istio.io/status": '{"initContainers":["istio-init"],"imagePullSecrets":null}',
        "sidecar.istio.io/statsHistogramBuckets": '{"istiocustom":[1,5,10,50]}',
    }
    for key, value in annotations.items():
        annotated = template({"annotations": {key: value}})
        assert evasions_of(annotated, Isolation.SANDBOX) == []
        assert evasions_of(annotated, Isolation.VIRTUAL_MACHINE)


@pytest.mark.parametrize("domain", ["vault.hashicorp.com", "openbao.org", "openbao.openbao.org"])
def test_the_path_of_a_secret_runs_nothing_beside_a_machine(domain: str) -> None:
    """Vault's agent puts the path into a template, and functions of templates run programs."""
    path = template({"annotations": {f"{domain}/agent-inject-secret-x": 'a" }}{{ plugin "sh" }}{{ with "a'}})
    assert evasions_of(path, Isolation.VIRTUAL_MACHINE)
    assert evasions_of(path, Isolation.SANDBOX) == [], "there it is the agent's own sandbox"


def test_what_only_describes_a_machine_is_harmless() -> None:
    described = {
        "vm.kubevirt.io/os": "linux",
        "vm.kubevirt.io/workload": "server",
        "vm.kubevirt.io/flavor": "x",
    }
    assert evasions_of(template({"annotations": described}), Isolation.VIRTUAL_MACHINE) == []
    assert evasions_of(template({"annotations": {"vm.kubevirt.io/other": "x"}}), Isolation.VIRTUAL_MACHINE)


def test_no_value_takes_long_to_look_at() -> None:
    for filling in (" ", "\n", "a", "a "):
        annotated = template({"annotations": {"sidecar.istio.io/logLevel": filling * 100_000 + '"'}})
        assert evasions_of(annotated, Isolation.SANDBOX)
        mapping = template({"annotations": {"proxy.istio.io/config": filling * 100_000 + '"'}})
        assert evasions_of(mapping, Isolation.SANDBOX)


def test_an_instancetype_tells_no_webhook_what_to_add_either() -> None:
    own = {"metadata": {"name": "own"}, "spec": {"annotations": dict.fromkeys((*ADDING, *CONTAINED), "x")}}
    whys = [evasion.why for evasion in of_reference("preference", "VirtualMachinePreference", own)]
    assert whys == [
        f"VirtualMachinePreference own has the annotation {key}: {ADDS}" for key in (*ADDING, *CONTAINED)
    ]


def test_each_annotation_of_an_injector_is_of_its_domain_alone() -> None:
    """So the CEL rule may look for an annotation in all lists at once (api/cel/machine_images.cel)."""
    for injector in INJECTORS:
        for key in (*injector.switches, *injector.contained):
            assert [one for one in INJECTORS if is_of_domain(key, one.domain)] == [injector], key


def test_only_apparmor_has_a_harmless_default() -> None:
    """For Multus, `runtime/default` is a network of the namespace `runtime`."""
    annotated = template({"annotations": {"k8s.v1.cni.cncf.io/networks": "runtime/default"}})
    assert [why for _, why in evasions_of(annotated, Isolation.SANDBOX)] == [NETWORKS]


@pytest.mark.parametrize("key", ANNOTATIONS)
def test_an_instancetype_of_the_namespace_brings_none_either(key: str) -> None:
    own = {"metadata": {"name": "own"}, "spec": {"annotations": {key: "x"}}}
    (evasion,) = of_reference("instancetype", "VirtualMachineInstancetype", own)
    assert evasion.path == "spec.virtualMachine.instancetype"
    assert evasion.why.endswith(f"has the annotation {key}: {ANNOTATIONS[key]}")


@pytest.mark.parametrize("key", LABELS)
def test_kubevirts_labels_reach_the_launcher(key: str) -> None:
    labelled = template({"labels": {key: "virt-handler", "app": "web"}})
    assert evasions_of(labelled, Isolation.VIRTUAL_MACHINE) == [
        (f"spec.template.metadata.labels[{key}]", KUBEVIRTS)
    ]
    assert evasions_of(labelled, Isolation.SANDBOX) == [], "a Pod of its own isn't KubeVirt's"


@pytest.mark.parametrize(
    "spec",
    [
        template(ports=[{"containerPort": 80, "hostPort": 0}]),
        template(resources={"limits": {"nvidia.com/gpu": "0", "hugepages-2Mi": "64Mi", "memory": "1Gi"}}),
        secured(seLinuxOptions={"type": "container_t", "level": "s0:c1,c2"}, procMount="Default"),
        secured(appArmorProfile={"type": "RuntimeDefault"}, seccompProfile={"type": "Localhost"}),
        secured(capabilities={"add": ["SYS_ADMIN"]}),
        template(livenessProbe={"httpGet": {"host": "", "port": 80}}),
        template({"annotations": {"container.apparmor.security.beta.kubernetes.io/web": "runtime/default"}}),
        template(
            {
                "annotations": {
                    "notkubevirt.io/a": "",
                    "example.com/kubevirt.io": "",
                    "prometheus.io/scrape": "",
                    "iam.gke.io/note": "",
                    "k8s.ovn.org/open-default-ports": "",
                    "notnoderesource.dev/pod": "",
                    "microsoft.com/note": "",
                }
            }
        ),
        template({"labels": {"notkubevirt.io/a": "", "app.kubernetes.io/name": "kubevirt.io"}}),
        overriding(domain={"resources": {"limits": {"memory": "1Gi"}}}, networks=[{"name": "d", "pod": {}}]),
    ],
)
def test_what_only_looks_like_it(spec: WorkloadSpec) -> None:
    for isolation in Isolation:
        assert evasions_of(spec, isolation) == []


@pytest.mark.parametrize(
    "key", ["k8s.v1.cni.cncf.io/networks", "devices.nri.io/pod", "dev.gvisor.flag.network"]
)
def test_a_pod_does_not_lose_in_place_what_it_was_started_with(key: str) -> None:
    """Otherwise a Pod that reaches past a floor could run on, and its metadata wouldn't show it."""
    before, after = template({"annotations": {key: "x"}}), template({"annotations": {"note": "x"}})
    without = template()
    fixed = [Content(spec, Isolation.SANDBOX, "gvisor").fixed for spec in (before, after, without)]
    assert fixed[1] == fixed[2]
    assert fixed[0] != fixed[2]


def test_what_cdi_runs_to_import_a_disk_runs_outside_the_machine() -> None:
    vddk = {
        "url": "https://vcenter.example",
        "uuid": "u",
        "backingFile": "[a] web.vmdk",
        "thumbprint": "20:6C",
        "secretRef": "vcenter",
    }
    own = {"source": {"vddk": {**vddk, "initImageURL": "vddk:8"}}, "size": "1Gi"}
    cluster = {"source": {"vddk": vddk}, "size": "1Gi"}

    def importing(boot: Raw, data: Raw) -> WorkloadSpec:
        built = {"memory": "1Gi", "bootDisk": boot, "disks": [{"name": "data", **data}]}
        return WorkloadSpec.model_validate({"virtualMachine": built})

    def evading(spec: WorkloadSpec) -> list[tuple[str, str]]:
        evasions = type_of(Isolation.VIRTUAL_MACHINE, spec).evasions(spec)
        return [(evasion.path, evasion.why) for evasion in evasions]

    why = "CDI runs that image in a Pod of its own, outside the machine"
    fields = [
        f"spec.virtualMachine.{field}.source.vddk.initImageURL" for field in ("bootDisk", "disks[data]")
    ]
    assert evading(importing(own, cluster)) == [(fields[0], why)]
    assert evading(importing(cluster, own)) == [(fields[1], why)]
    assert evading(importing(cluster, cluster)) == []
