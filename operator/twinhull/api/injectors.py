"""Webhooks that add containers to Pods, and that read from the Pod's annotations what to add.

An administrator runs such a webhook and configures what it adds. Some annotations override that: an image, a
volume, a patch of a container. In a Pod the author of the annotations has containers anyway. But in a
machine's launcher Pod such a container runs on the node, beside the machine.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import pairwise

from twinhull.api.base import Raw

#: One line that YAML, JSON or a shell takes for exactly one value. The pattern's two parts have no character
#: in common, so that no text takes long to match.
_PLAIN = r"[A-Za-z0-9 .,:/*_=%@+-]*[\r\n]*"
#: A whole text in quotes, without any quote or line break in it.
_QUOTED = r"\"[A-Za-z0-9 .,:/*_=%@+{}\[\]-]*\"|'[A-Za-z0-9 .,:/*_=%@+{}\[\]-]*'"
#: One line of a mapping or list in YAML or JSON. No text in it holds a quote, or spans lines.
_OF_MAPPING = rf"(?:[A-Za-z0-9 .,:/*_=%@+{{}}\[\]-]|{_QUOTED})*"
#: A line of YAML that holds nothing but a comment.
_COMMENT = r" *#[A-Za-z0-9 .,:;!?/*_=%@+{}()\[\]\"'#-]*"
#: What may stand before a quoted text, and after one; empty at the ends of the line.
_BEFORE_TEXT = ("", *"[{,:-")
_AFTER_TEXT = ("", *",:]}")
#: Stands in an outline for a value that isn't kept. It isn't plain.
NOT_KEPT = "…"
_ADDS = "it tells a webhook what to add to the Pod"
_PASTED = (
    "a webhook writes its value into what it adds to the Pod: use one line of letters, digits, spaces and "
    ". , : / * _ = % @ + - only"
)
_PASTED_MAPPING = (
    "a webhook writes its values into what it adds to the Pod: use lines of letters, digits, spaces and "
    ". , : / * _ = % @ + - {} [] only, comments, and whole texts in quotes"
)


@dataclass(frozen=True, slots=True)
class Injector:
    """A webhook that adds containers. Its lists hold keys of annotations. A key that ends with `*` is a
    prefix of keys.
    """

    #: The domain of its annotations. Subdomains belong to it.
    domain: str
    #: Annotations that leave it to the administrator which programs are added, and with which volumes and
    #: rights.
    switches: tuple[str, ...]
    #: Annotations that change the program, the environment or the mounts of an added container, but add no
    #: volume of the node and no rights. In a Pod they are harmless, since each container is in the Pod's
    #: sandbox.
    contained: tuple[str, ...] = ()
    #: Whether the webhook writes values into a text that it then parses. A value of several lines may add any
    #: field.
    pastes: bool = False
    #: Whether the webhook writes values into a template that may run programs. Beside a machine only plain
    #: values are harmless.
    makes_templates: bool = False
    #: The annotations whose value is a mapping, which the webhook parses before it writes the single values,
    #: or which it writes itself. Beside a machine their values must be plain all the same.
    mappings: tuple[str, ...] = ()

    def allows(self, key: str, *, in_machine: bool) -> bool:
        """Whether an annotation of the domain is harmless, in a Pod or in a machine, as long as its value is
        plain.
        """
        return _is_listed(key, self.switches) or (not in_machine and _is_listed(key, self.contained))

    def doubt(self, key: str, value: str, *, in_machine: bool) -> str:
        """Why the value of a harmless annotation may bring more than a value; empty if it can't."""
        if key in self.mappings and not in_machine:
            return "" if _is_plain_mapping(value) else _PASTED_MAPPING
        is_pasted = self.pastes or (in_machine and self.makes_templates)
        return _PASTED if is_pasted and not re.fullmatch(_PLAIN, value) else ""


def _of(domain: str, names: str) -> tuple[str, ...]:
    return tuple(f"{domain}/{name}" for name in names.split())


def _of_agent(domain: str, *prefixes: str) -> Injector:
    """Vault's agent, or OpenBao's, which is the same program with other keys."""
    switches = (
        "agent-auto-auth-exit-on-err agent-cache-* agent-disable-* agent-enable-quit agent-init-first "
        "agent-inject agent-inject-containers agent-inject-default-template agent-inject-secret-* "
        "agent-inject-status agent-inject-token agent-limits-* agent-metrics-listener-port "
        "agent-pre-populate agent-pre-populate-only agent-request-namespace agent-requests-* "
        "agent-revoke-* agent-telemetry-* client-max-retries client-timeout error-on-missing-key-* "
        "go-max-procs log-format log-level namespace preserve-secret-case* role template-*"
    )
    contained = (
        "agent-configmap agent-copy-volume-mounts agent-extra-secret agent-image agent-inject-command-* "
        "agent-inject-file-* agent-inject-perms-* agent-inject-template-* agent-run-as-* "
        "agent-service-account-token-volume-name agent-set-security-context "
        "agent-share-process-namespace auth-* ca-* client-cert client-key proxy-address "
        "secret-volume-path* service tls-*"
    )
    return Injector(
        domain,
        tuple(key for prefix in prefixes for key in _of(prefix, switches)),
        tuple(key for prefix in prefixes for key in _of(prefix, contained)),
        makes_templates=True,
    )


#: The known webhooks. A key of their domains that isn't listed is refused: a later version may have added it.
#:
#: Sources: istio/api, annotation/annotations.gen.go, and istio/istio, files/injection-template.yaml, whose
#: values aren't escaped (pkg/kube/inject/validate.go checks some); linkerd/linkerd2, pkg/k8s/labels.go and
#: charts/partials (a `close-wait-timeout` makes linkerd-init privileged); hashicorp/vault-k8s,
#: agent-inject/agent/annotations.go, and config.go, which writes the path of a secret into a template, whose
#: function `plugin` runs programs; openbao/openbao-k8s, alike; cyberark/sidecar-injector, README.md;
#: hashicorp/consul-k8s, connect-inject/constants; dapr/dapr,
#: pkg/injector/annotations and patcher; kumahq/kuma, pkg/plugins/runtime/k8s/metadata; DataDog/datadog-agent,
#: admission/mutate/autoinstrumentation/annotation; aws/aws-app-mesh-controller-for-k8s, pkg/inject;
#: bank-vaults/vault-secrets-webhook, pkg/common.
INJECTORS: tuple[Injector, ...] = (
    Injector(
        "istio.io",
        (
            *("ambient.istio.io/*", "galley.istio.io/*", "networking.istio.io/*", "service.istio.io/*"),
            *("topology.istio.io/*", "inject.istio.io/templates", "prometheus.istio.io/merge-metrics"),
            *("readiness.status.sidecar.istio.io/*", "status.sidecar.istio.io/*"),
            "traffic.sidecar.istio.io/*",
            *_of("istio.io", "dataplane-mode ingress-use-waypoint reroute-virtual-interfaces rev"),
            "istio.io/use-waypoint*",
            *_of(
                "sidecar.istio.io",
                "agentLogLevel capNetBindService componentLogLevel controlPlaneAuthPolicy extraStatTags "
                "inject interceptionMode logLevel nativeSidecar proxyCPU proxyCPULimit proxyMemory "
                "proxyMemoryLimit rewriteAppHTTPProbers stats*",
            ),
        ),
        (
            "proxy.istio.io/config",
            *_of("sidecar.istio.io", "bootstrapOverride discoveryAddress proxyImage proxyImageType status"),
        ),
        pastes=True,
        mappings=(
            "proxy.istio.io/config",
            *_of("sidecar.istio.io", "statsHistogramBuckets status"),
        ),
    ),
    Injector(
        "linkerd.io",
        (
            "viz.linkerd.io/*",
            *_of(
                "linkerd.io",
                "created-by helm-release-version identity-mode inject proxy-version trust-root-sha256",
            ),
            *_of("config.alpha.linkerd.io", "proxy-enable-native-sidecar proxy-wait-before-exit-seconds"),
            *_of("config.beta.linkerd.io", "proxy-enable-native-sidecar"),
            *_of(
                "config.linkerd.io",
                "access-log admin-port control-port default-inbound-policy disable-identity disable-tap "
                "enable-debug-sidecar enable-external-profiles image-pull-policy inbound-port opaque-ports "
                "outbound-port pod-inbound-ports proxy-admin-shutdown proxy-await proxy-cpu-* "
                "proxy-disable-* proxy-ephemeral-storage-* proxy-inbound-* proxy-log-* proxy-memory-* "
                "proxy-outbound-* proxy-require-* shutdown-grace-period skip-*",
            ),
        ),
        (
            *_of(
                "config.linkerd.io",
                "debug-image* init-image* proxy-gid proxy-image proxy-uid proxy-version trace-collector",
            ),
            *_of("config.alpha.linkerd.io", "trace-collector-service-account"),
        ),
        pastes=True,
    ),
    _of_agent("vault.hashicorp.com", "vault.hashicorp.com"),
    _of_agent("openbao.org", "openbao.org", "openbao.openbao.org"),
    Injector(
        "conjur.org",
        _of("conjur.org", "conjur-inject-volumes container-mode container-name inject inject-type"),
        _of(
            "conjur.org",
            "conjurAuthConfig conjurConnConfig container-image container-image-pull-policy secretless-config",
        ),
    ),
    Injector(
        "consul.hashicorp.com",
        _of(
            "consul.hashicorp.com",
            "connect-* consul-dns consul-envoy-proxy-concurrency consul-k8s-version consul-namespace "
            "enable-* gateway-* kubernetes-service merged-metrics-port mesh-gateway-* peering-version "
            "prometheus-scrape-* service-* sidecar-* transparent-proxy transparent-proxy-* "
            "use-proxy-health-check",
        ),
        _of("consul.hashicorp.com", "envoy-extra-args prometheus-ca-* prometheus-cert-file prometheus-key*"),
        pastes=True,
    ),
    Injector(
        "dapr.io",
        _of(
            "dapr.io",
            "api-token-secret app-* block-shutdown-duration config disable-builtin-k8s-secret-store "
            "enable-api-logging enable-app-health-check enable-metrics enable-profiling enabled "
            "graceful-shutdown-seconds http-* log-as-json log-level max-body-size metrics-port "
            "read-buffer-size sidecar-cpu-* sidecar-listen-addresses sidecar-liveness-* sidecar-memory-* "
            "sidecar-readiness-*",
        ),
        _of(
            "dapr.io",
            "debug-port enable-debug env env-from-secret placement-host-address scheduler-host-address "
            "sidecar-image volume-mounts volume-mounts-rw",
        ),
    ),
    Injector(
        "kuma.io",
        (
            "prometheus.metrics.kuma.io/*",
            *_of("traffic.kuma.io", "drop-invalid-packets exclude-* iptables-logs"),
            *_of(
                "kuma.io",
                "application-probe-proxy-port builtindns* direct-access-services envoy-admin-port "
                "envoy-component-log-level envoy-log-level gateway ignore ingress* init-first mesh "
                "reachable-* sidecar-drain-time sidecar-injected sidecar-injection "
                "sidecar-proxy-concurrency tags transparent-proxying* virtual-probes* "
                "wait-for-dataplane-ready workload",
            ),
        ),
        _of("kuma.io", "container-patches service-account-token-volume sidecar-env-vars sidecar-uid"),
    ),
    Injector(
        "admission.datadoghq.com",
        _of("admission.datadoghq.com", "enabled status"),
        _of(
            "admission.datadoghq.com",
            "all-lib.* apm-inject.custom-image apm-inject.debug apm-inject.version dotnet-lib.* java-lib.* "
            "js-lib.* php-lib.* python-lib.* ruby-lib.*",
        ),
    ),
    Injector(
        "appmesh.k8s.aws",
        _of(
            "appmesh.k8s.aws",
            "cpuLimit cpuRequest egressIgnoredIPs egressIgnoredPorts memoryLimit memoryRequest mesh ports "
            "sds sidecarInjectorWebhook virtualGateway virtualNode",
        ),
        _of("appmesh.k8s.aws", "secretMounts sidecarEnv virtualGatewaySkipImageOverride volumeMounts"),
        pastes=True,
    ),
    # Istio's webhook writes the keys of the map that `apm.datadoghq.com/env` holds into the sidecar.
    Injector(
        "apm.datadoghq.com",
        (),
        ("apm.datadoghq.com/env",),
        pastes=True,
        mappings=("apm.datadoghq.com/env",),
    ),
    *(
        Injector(
            domain,
            _of(
                f"{prefix}{domain}",
                "enable-json-log log-level mutate* vault-ignore-missing-secrets vault-namespace vault-path "
                "vault-role",
            ),
            _of(
                f"{prefix}{domain}",
                "read-only-root-fs readonly-root-fs registry-skip-verify run-as-* token-auth-mount "
                "vault-addr vault-agent-* vault-auth-method vault-client-timeout vault-configfile-path "
                "vault-ct-* vault-env-* vault-image* vault-serviceaccount vault-skip-verify "
                "vault-tls-secret",
            ),
        )
        for prefix, domain in (
            ("vault.", "security.banzaicloud.io"),
            ("secrets-webhook.", "security.bank-vaults.io"),
        )
    ),
)


def adding(annotations: Raw, *, in_machine: bool) -> Iterator[tuple[str, str]]:
    """The annotations of a Pod or a machine that tell a webhook what to add, each with the reason why that
    matters: in a Pod those that add a volume or rights, in a machine those that change any container.
    """
    for key, value in annotations.items():
        injector = next((one for one in INJECTORS if is_of_domain(key, one.domain)), None)
        if injector is None:
            continue
        if not injector.allows(key, in_machine=in_machine):
            yield key, _ADDS
        elif doubt := injector.doubt(key, str(value or ""), in_machine=in_machine):
            yield key, doubt


def in_cel() -> dict[str, str]:
    """The values by which api/cel/machine_images.cel finds the same annotations of a machine, by name."""
    switches = [switch for injector in INJECTORS for switch in injector.switches]
    return {
        "injectors": str([injector.domain for injector in INJECTORS]),
        "pastingInjectors": str([one.domain for one in INJECTORS if one.pastes or one.makes_templates]),
        "switches": str([switch for switch in switches if not switch.endswith("*")]),
        "switchPrefixes": str([switch[:-1] for switch in switches if switch.endswith("*")]),
        "plain": f"r'^{_PLAIN}$'",
    }


def is_of_domain(key: str, domain: str) -> bool:
    """Whether a label or annotation belongs to a domain or a subdomain. CRI-O's have no slash."""
    own = key.partition("/")[0]
    return own == domain or own.endswith(f".{domain}")


def _is_listed(key: str, listed: tuple[str, ...]) -> bool:
    return any(key.startswith(one[:-1]) if one.endswith("*") else key == one for one in listed)


def _is_plain_mapping(value: str) -> bool:
    """Whether no text in a mapping holds a quote or a line break, which YAML also makes of an empty line and
    of a carriage return alone.
    """
    lines = [line.removesuffix("\r") for line in value.strip("\r\n").split("\n")]
    return lines == [""] or all(map(_is_plain_line, lines))


def _is_plain_line(line: str) -> bool:
    """Whether a line of a mapping is a comment, or has plain and quoted texts only. A quote within a plain
    text is a character of that text, so a quoted text must begin and end where a text does.
    """
    if re.fullmatch(_COMMENT, line):
        return True
    if not line.strip() or not re.fullmatch(_OF_MAPPING, line):
        return False
    outside = [part.strip(" ") for part in re.split(_QUOTED, line)]
    return all(outside[1:-1]) and all(
        before[-1:] in _BEFORE_TEXT and after[:1] in _AFTER_TEXT for before, after in pairwise(outside)
    )
