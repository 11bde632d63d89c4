"""A real Kubernetes control plane on loopback, with KubeVirt's, and nodes that are simulated."""

from __future__ import annotations

import shutil
from dataclasses import dataclass
from typing import TYPE_CHECKING

import click

from tests.controlplane import build, components
from tests.controlplane.api import Api
from tests.controlplane.cluster import Cluster
from tests.controlplane.components import Ports
from tests.controlplane.identities import ADMINS, Identities
from tests.controlplane.kubectl import Kubectl
from tests.controlplane.kubevirt import Installation, install
from tests.controlplane.nodes import is_ready, node, storage_class
from tests.controlplane.pki import Pki
from tests.controlplane.ports import LOOPBACK
from tests.controlplane.supervisor import Supervisor, answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable
    from pathlib import Path

    from tests.controlplane.process import Process


@dataclass
class ControlPlane(Cluster):
    """A control plane that this process started: `start` it, `stop` it at the end."""

    _supervisor: Supervisor
    _identities: Identities
    _pki: Pki
    _ports: Ports
    _installation: Installation

    @classmethod
    def start(  # noqa: PLR0913  each has its default
        cls,
        folder: Path,
        *,
        kubevirt: bool = True,
        nodes: int = 1,
        tied: bool = True,
        workload_api: bool = False,
        kubernetes: str | None = None,
        installation: Installation = Installation(),  # noqa: B008  frozen
        say: Callable[[str], None] = click.echo,
    ) -> ControlPlane:
        """Starts one in `folder`, an empty or new one, and gives it when Pods (and machines) can run.

        Without KubeVirt it has none of KubeVirt's and CDI's kinds either; `install_kubevirt` adds them
        later. Tied, as for tests, it dies with this process, and this must be the main thread; else it
        stays until it is stopped. With `workload_api` it also serves Kubernetes' own kind Workload, which is
        Beta and off by default in 1.37. `kubernetes` is one of build.OLDER_KUBERNETES; `installation` says
        which KubeVirt. `say` gets the progress.
        Raises BuildError, ComponentDied, NeverHappened.
        """
        programs = build.programs(build.KUBERNETES, say)
        if kubevirt:
            programs |= installation.programs(say)
        if kubernetes is not None:
            older = build.programs([f"{name}-{kubernetes}" for name in build.SERVERS], say)
            programs |= dict(zip(build.SERVERS, older.values(), strict=True))
        folder = folder.absolute()
        for name in ("logs", "home", "kubeconfigs"):
            (folder / name).mkdir(parents=True)
        pki, ports = Pki.create(folder / "pki"), Ports.choose()
        supervisor = Supervisor(folder, programs, tied, say)
        identities = Identities(folder / "kubeconfigs", f"https://{LOOPBACK}:{ports.apiserver}", pki.cluster)
        admin = identities.kubeconfig("admin", [ADMINS], path=folder / "kubeconfig")
        plane = cls(
            admin,
            Kubectl(programs["kubectl"], admin, cache=folder / "home"),
            Api(admin),
            supervisor,
            identities,
            pki,
            ports,
            installation,
        )
        try:
            plane._start(nodes, kubevirt=kubevirt, workload_api=workload_api)
        except BaseException:
            plane.stop()
            raise
        return plane

    @property
    def folder(self) -> Path:
        """Where its logs, its data and its certificates are."""
        return self._supervisor.folder

    @property
    def kubevirt_version(self) -> str:
        """The version of its KubeVirt."""
        return self._installation.version

    @property
    def port(self) -> int:
        """Where the API server listens, on loopback."""
        return self._ports.apiserver

    @property
    def audit_log(self) -> Path:
        """Where the API server writes what ServiceAccounts of the operator's namespace ask for."""
        return self.folder / "logs" / "audit.log"

    @property
    def processes(self) -> tuple[Process, ...]:
        """The processes it is made of, in the order of their start."""
        return self._supervisor.processes

    def check(self) -> None:
        """Raises ComponentDied, with the end of its log, when a process is dead."""
        self._supervisor.check()

    def stop(self) -> None:
        """Ends every process and waits until all are gone. The folder stays, with the logs but no data."""
        self.api.close()
        self._supervisor.stop()
        shutil.rmtree(self.folder / "etcd", ignore_errors=True)

    def install_kubevirt(self) -> None:
        """Installs KubeVirt and CDI's kinds, as an administrator would some day."""
        self._supervisor.programs |= self._installation.programs(self._supervisor.say)
        parts = (self._supervisor, self.api, self._identities, self._pki, self._ports)
        install(*parts, self._installation)

    def kubeconfig_for(self, user: str, groups: Iterable[str] = ()) -> Path:
        """A kubeconfig for a user of these groups, who may do nothing until RBAC says so."""
        return self._identities.kubeconfig(user, groups)

    def add_node(self, name: str) -> None:
        """Adds a simulated node and waits until Pods can be placed on it."""
        self.api.create(node(name))
        self.eventually(lambda: is_ready(self.api.get("Node", name)), 60, f"node {name} is ready")

    def remove_node(self, name: str) -> None:
        """Removes a node; in about a minute the Pods' garbage collector takes away what ran there."""
        self.api.delete("Node", name)

    def _start(self, nodes: int, *, kubevirt: bool, workload_api: bool) -> None:
        supervisor, identities = self._supervisor, self._identities
        supervisor.start(components.etcd(self.folder / "etcd", self._pki, self._ports))
        supervisor.start(
            components.apiserver(self.audit_log, self._pki, self._ports, workload_api=workload_api)
        )
        supervisor.ready({"kube-apiserver": lambda: self.api.raw("GET", "/readyz")[0] == 200})
        controllers = identities.kubeconfig("system:kube-controller-manager")
        supervisor.start(components.controller_manager(controllers, self._pki))
        supervisor.start(components.scheduler(identities.kubeconfig("system:kube-scheduler")))
        kwok = identities.kubeconfig("system:kwok", [ADMINS])
        supervisor.start(components.kubelet(kwok, self._ports))
        supervisor.start(components.provisioner(kwok, self._ports))
        self.api.create(storage_class())
        names = [f"node-{number}" for number in range(nodes)]
        for name in names:
            self.api.create(node(name))
        if kubevirt:
            self.install_kubevirt()
        kubelet = f"http://{LOOPBACK}:{self._ports.kubelet}/healthz"
        provisioner = f"http://{LOOPBACK}:{self._ports.provisioner}/healthz"
        supervisor.ready(
            {
                "kwok-kubelet": lambda: answers(kubelet),
                "kwok-provisioner": lambda: answers(provisioner),
                "nodes": lambda: all(is_ready(self.api.get("Node", name)) for name in names),
                "kube-controller-manager": lambda: self.api.get("ServiceAccount", "default", "default"),
            }
        )
        supervisor.complete()
