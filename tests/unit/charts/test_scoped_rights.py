"""The rights of an operator for some namespaces: those of one for all, but for what no namespace has.

Which kinds those are is told by the operator's own table of kinds, so a rule in the wrong role is seen.
"""

from __future__ import annotations

from tests.chart import rights
from tests.chart.helm import NAMESPACE
from tests.chart.rights import Right
from twinhull.shell import kinds
from twinhull.shell.kinds import Kind

KINDS = [kind for kind in vars(kinds).values() if isinstance(kind, Kind)] + list(kinds.REFERRED)
NAMESPACED = {(kind.group, kind.plural) for kind in KINDS if kind.namespaced}
#: KubeVirt's one object is in a namespace that the operator may not serve.
ELSEWHERE = {(kinds.KUBEVIRT.group, kinds.KUBEVIRT.plural)}


def of(variant: str) -> set[Right]:
    """The rights that a folder of deploy/ gives the operator, but for those in its own namespace."""
    granted = rights.granted(rights.manifests(variant))
    return {right for right in granted if right.namespace != NAMESPACE}


def test_every_right_is_on_a_kind_that_the_operator_knows() -> None:
    known = {(kind.group, kind.plural) for kind in KINDS}
    assert [str(right) for right in sorted(of("default")) if _kind(right) not in known] == []


def test_an_operator_of_namespaces_may_do_there_all_that_one_of_the_cluster_may_do_in_namespaces() -> None:
    everywhere = {right for right in of("default") if _kind(right) in NAMESPACED - ELSEWHERE}
    for namespace in ("team-a", "team-b"):
        within = {Right(one.group, one.resource, one.verb, namespace) for one in everywhere}
        assert {right for right in of("namespaced") if right.namespace == namespace} == within


def _kind(right: Right) -> tuple[str, str]:
    return right.group, right.resource.partition("/")[0]
