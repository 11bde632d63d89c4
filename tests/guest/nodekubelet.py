"""The kubelet of the launcher Pod's node, which asks the machine whether its Pod is ready."""

from __future__ import annotations

import http.client
import threading
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from tests import web
from tests.controlplane.ports import LOOPBACK

if TYPE_CHECKING:
    from collections.abc import Mapping

#: The address that the cluster knows the launcher Pod by. The machine itself has another.
POD_IP = "10.244.3.17"
#: Seconds that virt-controller adds to a readinessProbe's initialDelaySeconds in the launcher Pod
#: (kubevirt.io/kubevirt/pkg/virt-controller/services/template.go, LibvirtStartupDelay).
LIBVIRT_STARTUP_DELAY = 10


@dataclass(frozen=True)
class Answer:
    """What the guest said to one question; code 0 is no answer at all."""

    at: float
    code: int
    text: str


@dataclass
class NodeKubelet:
    """Asks a VirtualMachineInstance's readiness probe, by httpGet, again and again.

    k8s.io/kubernetes/pkg/kubelet/prober/worker.go; virt-controller turns the launcher container's readiness
    into the machine's. `port` at `address` leads to the probe's.
    """

    probe: Mapping[str, Any]
    port: int
    address: str = LOOPBACK
    answers: list[Answer] = field(default_factory=list)
    ready: bool = False
    _streak: tuple[bool, int] = (False, 0)
    _stopped: threading.Event = field(default_factory=threading.Event)
    _thread: threading.Thread | None = None

    def start(self) -> None:
        """Starts asking."""
        self._thread = threading.Thread(target=self._work, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Stops asking."""
        self._stopped.set()
        if self._thread:
            self._thread.join(30)

    @property
    def last(self) -> Answer | None:
        """The last answer."""
        return self.answers[-1] if self.answers else None

    def ask(
        self,
        *,
        host: str | None = None,
        headers: Mapping[str, str] | None = None,
        seconds: float = web.PATIENCE,
    ) -> Answer:
        """One question, with the probe's own headers unless others are given. The answer may take `seconds`:
        who asks once waits longer than the probe, which asks again.
        """
        action = self.probe["httpGet"]
        own = {header["name"]: header["value"] for header in action.get("httpHeaders", ())}
        sent = {"Host": host or f"{POD_IP}:{action['port']}", "User-Agent": "kube-probe/1.37"}
        connection = http.client.HTTPConnection(self.address, self.port, seconds)
        try:
            connection.request(
                "GET", action["path"], headers=sent | (own if headers is None else dict(headers))
            )
            response = connection.getresponse()
            return Answer(time.monotonic(), response.status, response.read().decode(errors="replace").strip())
        except (OSError, http.client.HTTPException) as error:
            return Answer(time.monotonic(), 0, str(error))
        finally:
            connection.close()

    def hear(self, answer: Answer) -> None:
        """Takes an answer into account: enough of the same kind in a row change what is ready."""
        self.answers.append(answer)
        fine = 200 <= answer.code < 400
        last, times = self._streak
        self._streak = (fine, times + 1 if last == fine else 1)
        needed = self.probe.get("successThreshold", 1) if fine else self.probe.get("failureThreshold", 3)
        if self._streak[1] >= needed:
            self.ready = fine

    def _work(self) -> None:
        wait = self.probe.get("initialDelaySeconds", 0) + LIBVIRT_STARTUP_DELAY
        while not self._stopped.wait(wait):
            self.hear(self.ask(seconds=self.probe.get("timeoutSeconds", 1)))
            wait = self.probe.get("periodSeconds", 10)
