"""The settings of one operator process."""

from __future__ import annotations

from dataclasses import dataclass, field

from twinhull.core.defaults import OperatorDefaults
from twinhull.shell.lease_terms import Terms
from twinhull.shell.scope import Scope


@dataclass(frozen=True, slots=True)
class Settings:
    """How the process runs."""

    #: The operator's values for fields that Workloads leave out.
    defaults: OperatorDefaults
    #: The address at which the probes are served.
    health_host: str = "127.0.0.1"
    #: The port of the probes; 0 stands for any free port.
    health_port: int = 8081
    #: How many Workloads the operator works on at a time.
    workers: int = 16
    #: Every how many seconds everything is listed anew. A watch that was broken for long doesn't tell which
    #: objects were deleted meanwhile.
    relist_every: float = 600.0
    #: How many seconds the shutdown of the process may take.
    shutdown_timeout: float = 10.0
    #: How the Lease is held. None if this process is the only operator.
    lease: Terms | None = None
    #: The namespaces and kinds that the operator sees.
    scope: Scope = field(default_factory=Scope)
    #: The address and port at which metrics are served. None if they aren't.
    metrics: tuple[str, int] | None = None
