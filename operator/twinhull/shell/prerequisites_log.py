"""The log lines at the start about prerequisites that the cluster lacks."""

from __future__ import annotations

import logging

from twinhull.shell import kinds
from twinhull.shell.observe import capabilities
from twinhull.shell.scope import Scope
from twinhull.shell.store import Store

logger = logging.getLogger(__name__)


def log_missing_prerequisites(store: Store, scope: Scope) -> None:
    """Log the missing prerequisites, and which isolations wait for them."""
    able = capabilities(store, scope.hidden)
    if scope.hidden:
        logger.info("serving only %s: IsolationPolicies are ignored", ", ".join(scope.namespaces))
    if not scope.machines:
        logger.info("without KubeVirt: Workloads of isolation VirtualMachine wait")
    elif able.kubevirt is None:
        logger.info("KubeVirt is not installed: Workloads of isolation VirtualMachine wait for it")
    if scope.sees(kinds.RUNTIME_CLASS) and not able.runtime_classes:
        logger.info("there are no RuntimeClasses: Workloads of isolation Sandbox wait for theirs")
