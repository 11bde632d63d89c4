"""Reads the metrics server's figures of Workloads' Pods for `twinhull top`, and prints them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace

import click

from twinhull.api.base import Raw
from twinhull.api.brevity import listed
from twinhull.cli.clusterview import POD_METRICS, PODS
from twinhull.cli.output import print_document, print_names, print_table
from twinhull.cli.session import Session, session
from twinhull.cli.targets import Target
from twinhull.hulls.hull import WORKLOAD_LABEL
from twinhull.shell.errors import Refused, ServerError
from twinhull.shell.kinds import VIRTUAL_MACHINE_INSTANCE
from twinhull.view import usage
from twinhull.view.workloadobjects import is_launcher

_NO_METRICS = (
    "the cluster has no metrics server: its API server doesn't serve metrics.k8s.io. Install metrics-server "
    "(github.com/kubernetes-sigs/metrics-server), or ask Prometheus for container_memory_working_set_bytes"
)


@dataclass(frozen=True, slots=True)
class UsageRequest:
    """The options of `twinhull top`."""

    #: The Workload's name, empty for all.
    name: str
    #: Whether the Workloads of all namespaces are shown.
    everywhere: bool
    #: Whether each container has a row of its own.
    containers: bool
    #: A key of view/usage.ORDERS.
    order: str
    output: str

    @property
    def selector(self) -> str:
        """The label selector of the Pods."""
        return f"{WORKLOAD_LABEL}={self.name}" if self.name else WORKLOAD_LABEL


async def once(request: UsageRequest, target: Target) -> None:
    """Print what Workloads use."""
    async with session(target) as opened:
        if request.name:
            await opened.workload(request.name)
        pods, metrics = await _measured(opened, request)
        instances = await _instances(opened, request, pods)
        where = "" if request.everywhere else f" in namespace {opened.namespace}"
    uses = list(usage.uses(pods, metrics, instances, containers=request.containers))
    if request.output == "table":
        table = usage.table(uses, request.order, namespaces=request.everywhere, containers=request.containers)
        print_table(
            table, f"nothing of {f'Workload {request.name}' if request.name else 'any Workload'} runs{where}"
        )
        _remark(uses)
    elif request.output == "name":
        print_names(dict.fromkeys(f"pod/{use.pod}" for use in usage.in_order(uses, request.order)))
    else:
        print_document([use.raw() for use in usage.in_order(uses, request.order)], request.output)


async def _measured(opened: Session, request: UsageRequest) -> tuple[list[Raw], list[Raw]]:
    """The Pods and their metrics. Raises ClickException if no metrics server answers."""
    cluster = opened.everywhere if request.everywhere else opened.cluster
    try:
        measured = await cluster.list(replace(POD_METRICS, label_selector=request.selector))
    except ServerError as error:
        raise click.ClickException(
            f"the metrics server doesn't answer: {error}. See `kubectl get apiservice v1beta1.metrics.k8s.io`"
        ) from error
    if measured is None:
        raise click.ClickException(_NO_METRICS)
    listed = await cluster.list(replace(PODS, label_selector=request.selector))
    return (listed[0] if listed else []), measured[0]


async def _instances(opened: Session, request: UsageRequest, pods: Sequence[Raw]) -> list[Raw]:
    """The VirtualMachineInstances, if there are launcher Pods. If they can't be read, a note says so."""
    if not any(map(is_launcher, pods)):
        return []
    cluster = opened.everywhere if request.everywhere else opened.cluster
    try:
        listed = await cluster.list(replace(VIRTUAL_MACHINE_INSTANCE, label_selector=request.selector))
    except Refused:
        click.echo(
            "note: you may not read VirtualMachineInstances, so the CPUs and memory of guests aren't shown: "
            "ask for the role kubevirt.io:view",
            err=True,
        )
        return []
    return listed[0] if listed else []


def _remark(uses: Sequence[usage.Use]) -> None:
    """Print notes on figures that the table can't explain itself, and on missing figures."""
    launchers = [use.pod for use in uses if use.is_launcher]
    if launchers:
        click.echo(
            "note: a machine's figures are those of its launcher Pod, with QEMU and KubeVirt's own processes",
            err=True,
        )
    unknown = usage.unmeasured(uses)
    if unknown:
        click.echo(
            f"note: there are no figures yet of Pods {listed(unknown, ', ')}: those of a new Pod come within "
            "a minute",
            err=True,
        )
