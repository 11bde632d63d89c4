"""Mutations that clusters really have: meshes, injectors, policies with defaults, digests, mirrors."""

from __future__ import annotations

from tests.e2e.operator.situations.admission import Mutation

BOTH = ("CREATE", "UPDATE")
#: What the webhook for digests makes of every tag of nginx:1.29.
DIGEST = "nginx@sha256:" + 64 * "1"
PINNED = Mutation(
    "Pod",
    "Object{spec: Object.spec{containers: object.spec.containers.map(c, Object.spec.containers{name: c.name, "
    f'image: c.image.startsWith("nginx:1.29") ? "{DIGEST}" : c.image}})}}}}',
    BOTH,
)


def pods(spec: str) -> Mutation:
    return Mutation("Pod", f"Object{{spec: Object.spec{{{spec}}}}}")


def containers(of_each: str) -> str:
    """The same for every container that there is."""
    return "containers: object.spec.containers.map(c, Object.spec.containers{name: c.name, " + of_each + "})"


#: The first container's securityContext becomes this one, whatever it was.
CONFINED = (
    'JSONPatch{op: "add", path: "/spec/containers/0/securityContext", '
    "value: Object.spec.containers.securityContext{allowPrivilegeEscalation: false, "
    'capabilities: Object.spec.containers.securityContext.capabilities{drop: ["ALL"]}}}'
)

OF_PODS: dict[str, Mutation] = {
    "Istio's sidecar": pods(
        'initContainers: [Object.spec.initContainers{name: "istio-proxy", image: "istio/proxyv2:1.26", '
        'restartPolicy: "Always", resources: Object.spec.initContainers.resources{requests: {"cpu": "10m"}}}]'
    ),
    "Linkerd's proxy": pods(
        'initContainers: [Object.spec.initContainers{name: "linkerd-init", image: "linkerd/init:2"}], '
        'containers: [Object.spec.containers{name: "linkerd-proxy", image: "linkerd/proxy:2"}]'
    ),
    "Vault's injector": pods(
        "shareProcessNamespace: true, "
        'volumes: [Object.spec.volumes{name: "vault-secrets", '
        'emptyDir: Object.spec.volumes.emptyDir{medium: "Memory"}}], '
        'initContainers: [Object.spec.initContainers{name: "vault-agent-init", image: "vault:1"}], '
        + containers(
            'volumeMounts: [Object.spec.containers.volumeMounts{name: "vault-secrets", '
            'mountPath: "/vault/secrets"}], '
            'env: [Object.spec.containers.env{name: "VAULT_ADDR", value: "https://vault.example.com"}]'
        )
    ),
    "Kyverno's defaults": pods(
        "automountServiceAccountToken: false, "
        "securityContext: Object.spec.securityContext{runAsNonRoot: true, runAsUser: 1000, "
        'seccompProfile: Object.spec.securityContext.seccompProfile{type: "RuntimeDefault"}}, '
        + containers(
            'imagePullPolicy: "Always", '
            "securityContext: Object.spec.containers.securityContext{allowPrivilegeEscalation: false}"
        )
    ),
    "dropped capabilities": Mutation("Pod", f"[{CONFINED}]"),
    "digests": PINNED,
    "an image mirror": Mutation(
        "Pod",
        "Object{spec: Object.spec{"
        + containers('image: c.image.startsWith("mirror") ? c.image : "mirror.example.com/" + c.image')
        + "}}",
        BOTH,
    ),
    "the namespace's nodes": Mutation(
        "Pod",
        '[JSONPatch{op: "add", path: "/spec/nodeSelector", value: {"kubernetes.io/arch": "amd64"}}, '
        'JSONPatch{op: "add", path: "/spec/tolerations", value: [Object.spec.tolerations{key: "team", '
        'operator: "Exists", effect: "NoSchedule"}]}]',
    ),
    "VPA's resources": pods(
        containers(
            "resources: Object.spec.containers.resources{"
            'requests: {"cpu": "25m", "memory": "200Mi"}, limits: {"memory": "400Mi"}}'
        )
    ),
    "a registry's Secret and DNS": Mutation(
        "Pod",
        '[JSONPatch{op: "add", path: "/spec/imagePullSecrets", '
        'value: [Object.spec.imagePullSecrets{name: "registry"}]}, '
        'JSONPatch{op: "add", path: "/spec/dnsConfig", value: Object.spec.dnsConfig{'
        'options: [Object.spec.dnsConfig.options{name: "ndots", value: "2"}]}}, '
        'JSONPatch{op: "add", path: "/spec/terminationGracePeriodSeconds", value: 45}]',
    ),
    "labels and annotations": Mutation(
        "Pod",
        'Object{metadata: Object.metadata{labels: {"team": "shop"}, annotations: {"cost": "1"}}}',
        BOTH,
    ),
}
OF_OTHERS: dict[str, Mutation] = {
    "a Service's annotations": Mutation(
        "Service",
        'Object{metadata: Object.metadata{annotations: {"lb": "internal"}, labels: {"team": "shop"}}}',
        BOTH,
    ),
    "a Service's traffic": Mutation(
        "Service",
        'Object{spec: Object.spec{sessionAffinity: "ClientIP", internalTrafficPolicy: "Local", '
        'ipFamilyPolicy: "PreferDualStack"}}',
        BOTH,
    ),
    "a ConfigMap's metadata": Mutation(
        "ConfigMap",
        'Object{metadata: Object.metadata{annotations: {"team": "shop"}, labels: {"team": "shop"}}}',
        BOTH,
    ),
    "a machine's metadata": Mutation(
        "VirtualMachine",
        'Object{metadata: Object.metadata{annotations: {"team": "shop"}, labels: {"team": "shop"}}}',
        BOTH,
    ),
    "a machine's nodes": Mutation(
        "VirtualMachine",
        "Object{spec: Object.spec{template: Object.spec.template{spec: Object.spec.template.spec{"
        'nodeSelector: {"kubernetes.io/arch": "amd64"}, evictionStrategy: "None"}}}}',
        BOTH,
    ),
}
#: What is in force at the same time.
TOGETHER = [
    ["Istio's sidecar", "an image mirror"],
    ["Linkerd's proxy", "Vault's injector", "digests"],
    ["Kyverno's defaults", "VPA's resources", "labels and annotations"],
    ["dropped capabilities", "the namespace's nodes", "a registry's Secret and DNS"],
]
