"""The settings of one operator process."""

from __future__ import annotations

from dataclasses import dataclass, field

from twinhull.core.defaults import OperatorDefaults
from twinhull.shell.lease_terms import Terms
from twinhull.shell.scope import Scope


@dataclass(frozen=True, slots=True)
class Settings:
    """How the process runs."""

    #: What Workloads get that say nothing themselves.
    defaults: OperatorDefaults
    #: Where the probes are served: an address.
    health_host: str = "127.0.0.1"
    #: The port of the probes; 0 is any that is free.
    health_port: int = 8081
    #: How many Workloads are worked on at a time.
    workers: int = 16
    #: How often everything is listed anew, in seconds: a watch that broke for long doesn't say what was
    #: deleted meanwhile.
    relist_every: float = 600.0
    #: How long the end of the process may take, in seconds.
    shutdown_timeout: float = 10.0
    #: How the Lease is held. None if this process is the only operator.
    lease: Terms | None = None
    #: Which namespaces and kinds are seen.
    scope: Scope = field(default_factory=Scope)
    #: Where metrics are served: an address and a port. None if they aren't.
    metrics: tuple[str, int] | None = None
