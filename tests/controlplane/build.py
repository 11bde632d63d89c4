"""The control plane's programs, built from pinned Go modules into a cache outside the repository.

`guest.image` builds the guest's programs by the same Builder.

No container registry and no release archive is needed: each folder below `go/` is a Go module whose go.mod
and go.sum pin one project and all it is made of. A first build takes about 20 minutes on two cores and 8 GB
of Go's own caches, which needn't be kept; later ones take nothing.
"""

from __future__ import annotations

import fcntl
import hashlib
import json
import os
import re
import shutil
import subprocess
import tempfile
import time
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import TYPE_CHECKING, TextIO

import click

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Iterable, Iterator

_MODULES = Path(__file__).parent / "go"
_OLDEST_GO = (1, 26)
_PROGRESS_EVERY = 15.0  # seconds


def pinned(module: Path, path: str) -> str:
    """The version of the Go module `path` that the go.mod of the folder `module` requires."""
    text = (module / "go.mod").read_text(encoding="utf-8")
    versions: list[str] = re.findall(rf"^\s*(?:require )?{re.escape(path)} (\S+)", text, re.MULTILINE)
    return versions[0]


KUBERNETES_VERSION = pinned(_MODULES / "kubernetes", "k8s.io/kubernetes")
#: Releases before that one of which the API server, the controllers and the scheduler can be built, too.
OLDER_KUBERNETES = {
    minor: pinned(_MODULES / f"kubernetes-{minor}", "k8s.io/kubernetes") for minor in ("1.34", "1.35", "1.36")
}
KUBEVIRT_VERSION = pinned(_MODULES / "kubevirt", "kubevirt.io/kubevirt")
#: The release before it that the operator works with, too.
OLDER_KUBEVIRT_VERSION = pinned(_MODULES / "kubevirt-1.8", "kubevirt.io/kubevirt")
AGENT_SANDBOX_VERSION = pinned(_MODULES / "agent-sandbox", "sigs.k8s.io/agent-sandbox")
HELM_VERSION = pinned(_MODULES / "helm", "helm.sh/helm/v4")
HELM3_VERSION = pinned(_MODULES / "helm3", "helm.sh/helm/v3")


class BuildError(Exception):
    """A program can't be built; the message says what to do about it."""


@dataclass(frozen=True)
class Program:
    """One program: the module below `modules` that pins it, its package, the variables that hold its version.

    Built from a module, Kubernetes says v0.0.0-master, which clients can't parse: the version has to be
    linked in.
    """

    name: str
    module: str
    package: str
    version_variables: tuple[tuple[str, str], ...] = ()
    modules: Path = _MODULES
    build_flags: tuple[str, ...] = ()
    environment: tuple[tuple[str, str], ...] = ()

    @property
    def link_flags(self) -> str:
        """The linker's flags: no debugging information, the true version."""
        return " ".join(["-s -w", *(f"-X {variable}={value}" for variable, value in self.version_variables)])


def kubernetes(name: str, release: str = KUBERNETES_VERSION) -> Program:
    """A program of Kubernetes' own, which says that it is of this release."""
    major, minor, _ = release.removeprefix("v").split(".")
    version = (
        ("gitVersion", release),
        ("gitMajor", major),
        ("gitMinor", minor),
        ("gitTreeState", "clean"),
    )
    return Program(
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
    """A program of Kubernetes' own as it was."""
    program = kubernetes(name, OLDER_KUBERNETES[minor])
    return replace(program, name=f"{name}-{minor}", module=f"kubernetes-{minor}")


def _kubevirt(path: str, *tags: str) -> Program:
    """A program of KubeVirt's. One with build tags uses C, as KubeVirt's own build of it does."""
    version = (("kubevirt.io/client-go/version.gitVersion", KUBEVIRT_VERSION),)
    flags, environment = ((f"-tags={','.join(tags)}",), (("CGO_ENABLED", "1"),)) if tags else ((), ())
    package = f"kubevirt.io/kubevirt/cmd/{path}"
    name = path.rpartition("/")[2]
    return Program(name, "kubevirt", package, version, build_flags=flags, environment=environment)


def _older_kubevirt(program: Program) -> Program:
    """The same program of the older release."""
    version = tuple((variable, OLDER_KUBEVIRT_VERSION) for variable, _ in program.version_variables)
    name = f"{program.name}-{OLDER_KUBEVIRT}"
    return replace(program, name=name, module=f"kubevirt-{OLDER_KUBEVIRT}", version_variables=version)


def _helm(name: str, path: str, version: str, *packages: str) -> Program:
    """Helm, and what Kubernetes it takes `helm template` to be for; Helm 4 reads that off its own modules."""
    minor = KUBERNETES_VERSION.split(".")[1]
    assumed = [(f"{path}/{package}.k8sVersionMinor", minor) for package in packages]
    said = (f"{path}/internal/version.version", version)
    return Program(name, name, f"{path}/cmd/helm", (said, *assumed))


def _prometheus(name: str) -> Program:
    """A program of Prometheus', less what finds targets by clouds' own services: half of its build."""
    package = f"github.com/prometheus/prometheus/cmd/{name}"
    return Program(name, "prometheus", package, build_flags=("-tags=remove_all_sd",))


def _agent_sandbox(name: str) -> Program:
    """A program of agent-sandbox's, which `make bench` compares the operator with."""
    return Program(name, "agent-sandbox", f"sigs.k8s.io/agent-sandbox/cmd/{name}")


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
    Program("kubevirt-manifests", "kubevirt", _MANIFESTS),
    *_KUBEVIRT_NODE,
)
#: What is one version with the API server's.
SERVERS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler")
PROGRAMS = {
    program.name: program
    for program in (
        Program("etcd", "etcd", "go.etcd.io/etcd/server/v3"),
        *map(kubernetes, SERVERS),
        kubernetes("kubectl"),
        replace(kubernetes("kube-proxy"), module="kube-proxy"),
        *(_older(name, minor) for minor in OLDER_KUBERNETES for name in SERVERS),
        Program("kwok", "kwok", "sigs.k8s.io/kwok/cmd/kwok"),
        *_KUBEVIRT,
        *map(_older_kubevirt, _KUBEVIRT),
        Program("cdi-manifests", "cdi", "./manifests"),
        _helm("helm", "helm.sh/helm/v4", HELM_VERSION),
        _helm("helm3", "helm.sh/helm/v3", HELM3_VERSION, "pkg/chartutil", "pkg/lint/rules"),
        _prometheus("prometheus"),
        _prometheus("promtool"),
        Program("kstatus", "kstatus", "."),
        Program("flux", "kstatus", "./flux"),
        Program("argocd", "argocd", "."),
        Program("velero", "velero", "."),
        Program("velero-filestore", "velero", "./filestore"),
        _agent_sandbox("agent-sandbox-controller"),
    )
}

KUBERNETES = ("etcd", *SERVERS, "kubectl", "kwok")
PROMETHEUS = ("prometheus", "promtool")
KUBEVIRT = ("virt-api", "virt-controller", "kubevirt-manifests")
KUBEVIRT_NODE = tuple(program.name for program in _KUBEVIRT_NODE)
HELM = ("helm", "helm3")

# What KUBEBUILDER_ASSETS provides: https://book.kubebuilder.io/reference/envtest
_ASSETS = ("etcd", "kube-apiserver", "kubectl")


def cache_folder() -> Path:
    """Where built programs are kept: below $XDG_CACHE_HOME, or ~/.cache."""
    base = os.environ.get("XDG_CACHE_HOME") or "~/.cache"
    return Path(base).expanduser() / "twinhull" / "controlplane"


def programs(names: Iterable[str], say: Callable[[str], None] = click.echo) -> dict[str, Path]:
    """The named programs' paths, each built if it isn't in the cache yet; `say` gets the progress.

    $KUBEBUILDER_ASSETS, when set, is the folder of the etcd, kube-apiserver and kubectl to use.
    Raises BuildError.
    """
    found: dict[str, Path] = {}
    assets = os.environ.get("KUBEBUILDER_ASSETS")
    to_build = []
    for name in names:
        if assets and name in _ASSETS:
            found[name] = _asset(Path(assets), name)
        else:
            to_build.append(PROGRAMS[name])
    if to_build:
        found.update(Builder(Go.find(), say, PROGRAMS.values(), cache_folder()).build(to_build))
    return found


def _asset(folder: Path, name: str) -> Path:
    path = folder / name
    if not os.access(path, os.X_OK):
        raise BuildError(
            f"KUBEBUILDER_ASSETS is {folder}, where there is no program {name}. Unset it, or add that."
        )
    return path.absolute()


@dataclass(frozen=True)
class Go:
    """The Go toolchain on PATH."""

    path: str
    version: str
    platform: str

    @classmethod
    def find(cls) -> Go:
        want = ".".join(map(str, _OLDEST_GO))
        path = shutil.which("go")
        if path is None:
            raise BuildError(
                f"Go {want} or later is needed and none is on PATH: install it from https://go.dev/dl/"
            )
        report = subprocess.run(
            [path, "version"], env=environment(), capture_output=True, text=True, check=False
        )
        match = re.match(r"go version (go(\d+)\.(\d+)\S*).* (\S+/\S+)$", report.stdout.strip())
        if match is None:
            raise BuildError(f"{path} doesn't say which Go it is: {report.stdout}{report.stderr}")
        if (int(match[2]), int(match[3])) < _OLDEST_GO:
            raise BuildError(
                f"Go {want} or later is needed and {path} is {match[1]}: install one from https://go.dev/dl/"
            )
        return cls(path, version=match[1], platform=match[4])


def environment() -> dict[str, str]:
    """The user's environment (proxies, caches), less what would change the outcome.

    No -trimpath: the control plane's programs never leave this machine, and without it they share Go's build
    cache with other builds.
    """
    return os.environ | {
        "CGO_ENABLED": "0",
        "GOFLAGS": "-mod=readonly -buildvcs=false",
        "GOTOOLCHAIN": "local",
        "GOWORK": "off",
    }


@dataclass
class Builder:
    """Builds programs into folders below `cache`; `known` are all that there are of their modules."""

    go: Go
    say: Callable[[str], None]
    known: Collection[Program]
    cache: Path
    folders: dict[str, Path] = field(default_factory=dict)

    def build(self, wanted: Collection[Program]) -> dict[str, Path]:
        """The programs' paths by name, each built if it isn't in the cache yet. Raises BuildError."""
        paths = {program.name: self._folder(program) / program.name for program in wanted}
        missing = [program for program in wanted if not paths[program.name].exists()]
        for number, program in enumerate(missing, start=1):
            target = paths[program.name]
            with _locked(target.with_name(".lock"), lambda: self.say("waiting for another build to end")):
                if not target.exists():
                    self._compile(program, target, f"{program.name} ({number} of {len(missing)})")
        return paths

    def _folder(self, program: Program) -> Path:
        """<module>-<hash>: whatever could change a program of the module changes the hash."""
        module = program.module
        if module not in self.folders:
            source = program.modules / module
            digest = hashlib.sha256()
            for path in sorted([source / "go.mod", source / "go.sum", *source.rglob("*.go")]):
                digest.update(f"{path.relative_to(source)}\0".encode() + path.read_bytes())
            for path in _local_modules(source):
                digest.update(f"{path.relative_to(source.parent)}\0".encode() + path.read_bytes())
            flags = {
                one.name: " ".join(
                    ["-".join(pair) for pair in one.environment] + [*one.build_flags, one.link_flags]
                )
                for one in self.known
                if one.module == module
            }
            digest.update(json.dumps([flags, self.go.version, self.go.platform], sort_keys=True).encode())
            self.folders[module] = self.cache / f"{module}-{digest.hexdigest()[:16]}"
            self.folders[module].mkdir(parents=True, exist_ok=True)
        return self.folders[module]

    def _compile(self, program: Program, target: Path, title: str) -> None:
        self.say(f"building {title} with {self.go.version}")
        with tempfile.TemporaryDirectory(dir=target.parent, prefix=".build-") as folder:
            output = Path(folder) / program.name
            flags = [*program.build_flags, "-ldflags", program.link_flags, "-o", str(output)]
            command = [self.go.path, "build", *flags, program.package]
            with (Path(folder) / "log").open("w+", encoding="utf-8") as log:
                began = time.monotonic()
                code = self._run(command, program, log, title)
                if code:
                    log.seek(0)
                    raise BuildError(f"go build of {program.name} failed:\n{log.read()[-4000:].strip()}")
            output.replace(target)
        self.say(f"built {title} in {time.monotonic() - began:.0f} s")

    def _run(self, command: list[str], program: Program, log: TextIO, title: str) -> int:
        began = time.monotonic()
        folder, variables = program.modules / program.module, environment() | dict(program.environment)
        with subprocess.Popen(command, cwd=folder, env=variables, stdout=log, stderr=log) as process:
            try:
                while True:
                    try:
                        return process.wait(_PROGRESS_EVERY)
                    except subprocess.TimeoutExpired:
                        self.say(f"building {title}: {time.monotonic() - began:.0f} s")
            except BaseException:
                process.terminate()
                raise


def _local_modules(source: Path) -> list[Path]:
    """The files of the modules beside `source` that its go.mod puts in the place of others."""
    text = (source / "go.mod").read_text(encoding="utf-8")
    folders = [source.parent / name for name in re.findall(r"=> \.\./(\S+)$", text, re.MULTILINE)]
    return sorted(path for folder in folders for path in (folder / "go.mod", *folder.rglob("*.go")))


@contextmanager
def _locked(path: Path, blocked: Callable[[], None]) -> Iterator[None]:
    """Holds the lock file at `path`; calls `blocked` first if another process has it."""
    with path.open("w") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            blocked()
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield
