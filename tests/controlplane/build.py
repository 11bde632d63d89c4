"""The control plane's programs, built from pinned Go modules into a cache outside the repository.

No container registry and no release archive is needed: each folder below `go/` is a Go module whose go.mod
and go.sum pin one project and all it is made of. A first build takes about 20 minutes on two cores and 8 GB
of Go's own caches, which needn't be kept; later ones take nothing.
"""

from __future__ import annotations

import os
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING

import click

from tools import cache
from tools.gobuild import Builder, BuildError, Go, Program, pinned

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

_MODULES = Path(__file__).parent / "go"
_program = partial(Program, modules=_MODULES)
#: For programs that little is asked of: their builds are what takes time.
_small_program = partial(_program, inlined=False)


KUBERNETES_VERSION = pinned(_MODULES / "kubernetes", "k8s.io/kubernetes")
#: Releases before that one of which the API server, the controllers and the scheduler can be built, too.
OLDER_KUBERNETES = {
    minor: pinned(_MODULES / f"kubernetes-{minor}", "k8s.io/kubernetes") for minor in ("1.34", "1.35", "1.36")
}
KUBEVIRT_VERSION = pinned(_MODULES / "kubevirt", "kubevirt.io/kubevirt")
#: The release before it that the operator works with, too.
OLDER_KUBEVIRT_VERSION = pinned(_MODULES / "kubevirt-1.8", "kubevirt.io/kubevirt")
CDI_VERSION = pinned(_MODULES / "cdi", "kubevirt.io/containerized-data-importer")
AGENT_SANDBOX_VERSION = pinned(_MODULES / "agent-sandbox", "sigs.k8s.io/agent-sandbox")
HELM_VERSION = pinned(_MODULES / "helm", "helm.sh/helm/v4")
HELM3_VERSION = pinned(_MODULES / "helm3", "helm.sh/helm/v3")


def kubernetes(name: str, release: str = KUBERNETES_VERSION) -> Program:
    """A program of Kubernetes' own, which says that it is of this release."""
    major, minor, _ = release.removeprefix("v").split(".")
    version = (
        ("gitVersion", release),
        ("gitMajor", major),
        ("gitMinor", minor),
        ("gitTreeState", "clean"),
    )
    return _program(
        name,
        module="kubernetes",
        package=f"k8s.io/kubernetes/cmd/{name}",
        version_variables=tuple(
            (f"{package}.{variable}", value)
            for package in ("k8s.io/component-base/version", "k8s.io/client-go/pkg/version")
            for variable, value in version
        ),
    )


def _older(name: str, minor: str) -> Program:
    """A program of Kubernetes' own as it was: a few tests have it, so its build is what takes time."""
    program = kubernetes(name, OLDER_KUBERNETES[minor])
    return replace(program, name=f"{name}-{minor}", module=f"kubernetes-{minor}", inlined=False)


def _kubevirt(path: str, *tags: str) -> Program:
    """A program of KubeVirt's. One with build tags uses C, as KubeVirt's own build of it does."""
    version = (("kubevirt.io/client-go/version.gitVersion", KUBEVIRT_VERSION),)
    flags, environment = ((f"-tags={','.join(tags)}",), (("CGO_ENABLED", "1"),)) if tags else ((), ())
    package = f"kubevirt.io/kubevirt/cmd/{path}"
    name = path.rpartition("/")[2]
    # All are compiled in one way: virt-handler and virt-launcher have 95 % of their code in common with
    # virt-api and virt-controller. Functions are inlined: without that, virt-handler 1.9.0 registers
    # collectors whose metrics aren't initialized yet, and ends with a panic.
    return _program(name, "kubevirt", package, version, build_flags=flags, environment=environment)


def _older_kubevirt(program: Program) -> Program:
    """The same program of the older release."""
    version = tuple((variable, OLDER_KUBEVIRT_VERSION) for variable, _ in program.version_variables)
    name = f"{program.name}-{OLDER_KUBEVIRT}"
    return replace(program, name=name, module=f"kubevirt-{OLDER_KUBEVIRT}", version_variables=version)


def _helm(name: str, path: str, version: str, *packages: str) -> Program:
    """Helm, and what Kubernetes it takes `helm template` to be for; Helm 4 reads that off its own modules."""
    minor = KUBERNETES_VERSION.split(".")[1]
    assumed = [(f"{path}/{package}.k8sVersionMinor", minor) for package in packages]
    variable = (f"{path}/internal/version.version", version)
    return _small_program(name, name, f"{path}/cmd/helm", (variable, *assumed))


def _prometheus(name: str) -> Program:
    """A program of Prometheus', less what finds targets by clouds' own services: half of its build."""
    package = f"github.com/prometheus/prometheus/cmd/{name}"
    return _small_program(name, "prometheus", package, build_flags=("-tags=remove_all_sd",))


def _cdi(name: str) -> Program:
    """A program of the Containerized Data Importer's."""
    return _small_program(name, "cdi", f"kubevirt.io/containerized-data-importer/cmd/{name}")


def _metrics_server(name: str) -> Program:
    """A program of metrics-server's, which measures what Pods use."""
    return _small_program(name, "metrics-server", f"sigs.k8s.io/metrics-server/cmd/{name}")


def _agent_sandbox(name: str) -> Program:
    """A program of agent-sandbox's, which `make bench` compares the operator with."""
    return _program(name, "agent-sandbox", f"sigs.k8s.io/agent-sandbox/cmd/{name}")


#: The older release of KubeVirt, as its programs' names end.
OLDER_KUBEVIRT = "1.8"
_MANIFESTS = "twinhull.dev/tests/controlplane/kubevirt-manifests"
#: What of KubeVirt runs on a node: virt-handler and virt-launcher, and what their images hold beside them.
#: libvirt's library is loaded when virt-launcher starts, so none is needed to build it.
_KUBEVIRT_NODE = (
    _kubevirt("virt-handler", "netgo", "osusergo"),
    _kubevirt("virt-chroot"),
    _kubevirt("virt-launcher", "libvirt_dlopen", "netgo", "osusergo"),
    _kubevirt("virt-launcher-monitor"),
    _kubevirt("virt-tail"),
    _kubevirt("virt-launcher/libvirt-hook-client"),
)
_KUBEVIRT = (
    _kubevirt("virt-api"),
    _kubevirt("virt-controller"),
    _program("kubevirt-manifests", "kubevirt", _MANIFESTS),
    *_KUBEVIRT_NODE,
)
#: What is one version with the API server's.
SERVERS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
PROGRAMS = {
    program.name: program
    for program in (
        _program("etcd", "etcd", "go.etcd.io/etcd/server/v3"),
        *map(kubernetes, SERVERS),
        kubernetes("kubectl"),
        replace(kubernetes("kube-proxy"), module="kube-proxy"),
        *(_older(name, minor) for minor in OLDER_KUBERNETES for name in SERVERS),
        _small_program("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok"),
        *_KUBEVIRT,
        *map(_older_kubevirt, _KUBEVIRT),
        _small_program("cdi-manifests", "cdi", "./manifests"),
        _small_program("cdi-webhooks", "cdi", "./webhooks"),
        _cdi("cdi-apiserver"),
        _cdi("cdi-controller"),
        _cdi("cdi-importer"),
        _small_program("objectstore", "objectstore", "."),
        _helm("helm", "helm.sh/helm/v4", HELM_VERSION),
        _helm("helm3", "helm.sh/helm/v3", HELM3_VERSION, "pkg/chartutil", "pkg/lint/rules"),
        _prometheus("prometheus"),
        _prometheus("promtool"),
        _small_program("kstatus", "kstatus", "."),
        _small_program("flux", "kstatus", "./flux"),
        _small_program("argocd", "argocd", "."),
        _small_program("velero", "velero", "."),
        _small_program("velero-filestore", "velero", "./filestore"),
        _metrics_server("metrics-server"),
        _program("runsc", "gvisor", "gvisor.dev/gvisor/runsc"),
        _program("containerd-shim-runsc-v1", "gvisor", "./shim"),
        _agent_sandbox("agent-sandbox-controller"),
    )
}

KUBERNETES = ("etcd", *SERVERS, "kubectl", "kwok")
PROMETHEUS = ("prometheus", "promtool")
KUBEVIRT = ("virt-api", "virt-controller", "kubevirt-manifests")
#: gVisor, and the program by which containerd starts it.
GVISOR = ("runsc", "containerd-shim-runsc-v1")
KUBEVIRT_NODE = tuple(program.name for program in _KUBEVIRT_NODE)
CDI = ("cdi-apiserver", "cdi-controller", "cdi-webhooks", "cdi-importer")
#: The S3 server from which CDI's importer reads disks.
OBJECT_STORE = ("objectstore",)
HELM = ("helm", "helm3")
#: What `make test-node` has beside the nodes; `make test` does without it.
METRICS_SERVER = ("metrics-server",)
VELERO = ("velero", "velero-filestore")
#: The servers of the oldest Kubernetes that the operator works with.
OLDEST_KUBERNETES = tuple(f"{name}-{min(OLDER_KUBERNETES)}" for name in SERVERS)
#: What `make test` needs, in the order in which it is built: all tests need a control plane.
ORDER = (
    *KUBERNETES,
    *KUBEVIRT,
    "cdi-manifests",
    *CDI,
    *OBJECT_STORE,
    *("kube-proxy", *KUBEVIRT_NODE, *GVISOR),
    *HELM,
    *("kstatus", "flux", "argocd"),
    *PROMETHEUS,
    *VELERO,
    *OLDEST_KUBERNETES,
)

# What KUBEBUILDER_ASSETS provides: https://book.kubebuilder.io/reference/envtest
_ASSETS = ("etcd", "kube-apiserver", "kubectl")


def cache_folder() -> Path:
    """Where built programs are kept: below $XDG_CACHE_HOME, or ~/.cache."""
    return cache.folder() / "controlplane"


def programs(names: Iterable[str], say: Callable[[str], None] = click.echo) -> dict[str, Path]:
    """The named programs' paths, each built if it isn't in the cache yet; `say` gets the progress.

    $KUBEBUILDER_ASSETS, when set, is the folder of the etcd, kube-apiserver and kubectl to use.
    Raises BuildError.
    """
    paths: dict[str, Path] = {}
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    to_build = []
    for name in names:
        if assets and name in _ASSETS:
            paths[name] = _asset(Path(assets), name)
        else:
            to_build.append(PROGRAMS[name])
    if to_build:
        paths.update(_builder(say).build(to_build))
    return paths


def is_built(name: str) -> bool:
    """Whether a program is in the cache. Raises BuildError without a Go that is new enough."""
    return (_builder(lambda _: None).folder(PROGRAMS[name]) / name).exists()


def download(name: str) -> None:
    """Has Go download the sources of a program and of all that it is made of; its build tells of failures."""
    _builder(lambda _: None).download(PROGRAMS[name])


def _builder(say: Callable[[str], None]) -> Builder:
    return Builder(Go.find(), say, PROGRAMS.values(), cache_folder())


def _asset(folder: Path, name: str) -> Path:
    path = folder / name
    if not os.access(path, os.X_OK):
        raise BuildError(
            f"KUBEBUILDER_ASSETS is {folder}, where there is no program {name}. Unset it, or add that."
        )
    return path.absolute()
