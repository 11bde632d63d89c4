"""A real Kubernetes control plane on loopback, with KubeVirt's, and nodes that are simulated."""

from __future__ import annotations

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

import click

from tests.controlplane import build, cdi, components
from tests.controlplane.api import Api
from tests.controlplane.certificates import Authority
from tests.controlplane.cluster import Cluster
from tests.controlplane.components import Ports
from tests.controlplane.identities import ADMINS, Identities
from tests.controlplane.kubectl import Kubectl
from tests.controlplane.kubevirt import Installation, install
from tests.controlplane.nodes import is_ready, node, storage_class
from tests.controlplane.pki import Pki
from tests.controlplane.ports import LOOPBACK
from tests.controlplane.state import State
from tests.controlplane.supervisor import Supervisor, answers

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from tests.controlplane.process import Process

#: Where `make cluster` leaves one running.
STAYS = Path(__file__).parents[2] / ".cluster"


@dataclass
class ControlPlane(Cluster):
    """A control plane that this process started: `start` it, `stop` it at the end.

    Or one that is `running`, which another process will stop.
    """

    _supervisor: Supervisor
    _identities: Identities
    _installation: Installation
    #: None if another process has started it.
    _made_with: tuple[Pki, Ports] | None

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
            installation,
            (pki, ports),
        )
        try:
            plane._start(pki, ports, nodes, kubevirt=kubevirt, workload_api=workload_api)
        except BaseException:
            plane.stop()
            raise
        return plane

    @classmethod
    def running(cls, folder: Path, say: Callable[[str], None] = click.echo) -> ControlPlane | None:
        """The one that another process has started in `folder`, with KubeVirt, and left running.

        None if there is none, or not all of it runs; `say` is told why.
        """
        state = State.load(folder)
        if state is None or not state.ready:
            return None
        names = {process.name for process in state.processes if process.alive()}
        if dead := {process.name for process in state.processes} - names:
            say(f"The control plane in {folder} isn't used: {', '.join(sorted(dead))} died")
            return None
        if "virt-api" not in names:
            say(f"The control plane in {folder} isn't used: it has no KubeVirt")
            return None
        admin = folder / "kubeconfig"
        server = json.loads(admin.read_text(encoding="utf-8"))["clusters"][0]["cluster"]["server"]
        return cls(
            admin,
            Kubectl(state.kubectl, admin, cache=folder / "home"),
            Api(admin),
            Supervisor.of(folder, state, say),
            Identities(folder / "kubeconfigs", server, Authority(folder / "pki", "cluster", made=True)),
            Installation(),
            None,
        )

    @property
    def folder(self) -> Path:
        """Where its logs, its data and its certificates are."""
        return self._supervisor.folder

    @property
    def ends_with_this_process(self) -> bool:
        """Whether nobody will use it after this process."""
        return self._made_with is not None

    @property
    def kubevirt_version(self) -> str:
        """The version of its KubeVirt."""
        return self._installation.version

    @property
    def port(self) -> int:
        """Where the API server listens, on loopback."""
        port = urlsplit(self._identities.server).port
        assert port is not None
        return port

    @property
    def audit_log(self) -> Path:
        """Where the API server writes what ServiceAccounts of the operator's namespace ask for."""
        return self.folder / "logs" / "audit.log"

    @property
    def ready_at(self) -> float:
        """When all of it had been started, in seconds since 1970."""
        return self._supervisor.ready_at

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
        if self._made_with is None:
            raise RuntimeError("another process has started this control plane")
        self._supervisor.programs |= self._installation.programs(self._supervisor.say)
        install(self._supervisor, self.api, self._identities, *self._made_with, self._installation)

    def install_cdi(self) -> None:
        """Installs CDI's programs; its kinds are there with KubeVirt's. It takes root: see isolated.py."""
        cdi.install(self._supervisor, self.api, self._identities, self.port)

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

    def _start(self, pki: Pki, ports: Ports, nodes: int, *, kubevirt: bool, workload_api: bool) -> None:
        supervisor, identities = self._supervisor, self._identities
        supervisor.start(components.etcd(self.folder / "etcd", pki, ports))
        supervisor.start(components.apiserver(self.audit_log, pki, ports, workload_api=workload_api))
        supervisor.ready({"kube-apiserver": lambda: self.api.raw("GET", "/readyz")[0] == 200})
        controllers = identities.kubeconfig("system:kube-controller-manager")
        supervisor.start(components.controller_manager(controllers, pki))
        supervisor.start(components.scheduler(identities.kubeconfig("system:kube-scheduler")))
        kwok = identities.kubeconfig("system:kwok", [ADMINS])
        supervisor.start(components.kubelet(kwok, ports))
        supervisor.start(components.provisioner(kwok, ports))
        self.api.create(storage_class())
        names = [f"node-{number}" for number in range(nodes)]
        for name in names:
            self.api.create(node(name))
        if kubevirt:
            self.install_kubevirt()
        kubelet = f"http://{LOOPBACK}:{ports.kubelet}/healthz"
        provisioner = f"http://{LOOPBACK}:{ports.provisioner}/healthz"
        supervisor.ready(
            {
                "kwok-kubelet": lambda: answers(kubelet),
                "kwok-provisioner": lambda: answers(provisioner),
                "nodes": lambda: all(is_ready(self.api.get("Node", name)) for name in names),
                "kube-controller-manager": lambda: self.api.get("ServiceAccount", "default", "default"),
            }
        )
        supervisor.complete()
