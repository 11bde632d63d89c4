"""Nulls in a template mean what they mean in a Deployment's."""

from __future__ import annotations

import pytest

from twinhull.api.base import Raw
from twinhull.api.nulls import without_nulls
from twinhull.api.workload import WorkloadSpec

WEB: Raw = {"name": "web", "image": "nginx"}


@pytest.mark.parametrize(
    ("template", "meant"),
    [
        (
            {"metadata": None, "spec": {"containers": [WEB], "tolerations": None, "nodeSelector": None}},
            {"spec": {"containers": [WEB]}},
        ),
        (
            {"spec": {"containers": [{**WEB, "env": [{"name": "A", "value": None}], "resources": None}]}},
            {"spec": {"containers": [{**WEB, "env": [{"name": "A"}]}]}},
        ),
        (
            {"metadata": {"annotations": {"a": None}}, "spec": {"nodeSelector": {"disk": None}}},
            {"metadata": {"annotations": {"a": ""}}, "spec": {"nodeSelector": {"disk": ""}}},
        ),
        (
            {"spec": {"containers": [{**WEB, "resources": {"limits": {"cpu": None, "memory": "1Gi"}}}]}},
            {"spec": {"containers": [{**WEB, "resources": {"limits": {"cpu": "0", "memory": "1Gi"}}}]}},
        ),
        ({"spec": {"affinity": {"podAffinity": None}}}, {"spec": {"affinity": {}}}),
        ({"metadata": {"creationTimestamp": None}}, {"metadata": {"creationTimestamp": None}}),
        (None, None),
        ([None], [None]),
        ({"spec": None}, {}),
        ({"spec": {"containers": [None, 1]}}, {"spec": {"containers": [None, 1]}}),
    ],
)
def test_without_nulls(template: Raw, meant: Raw) -> None:
    assert without_nulls(template) == meant


def test_a_template_without_any_is_the_very_same() -> None:
    template: Raw = {"spec": {"containers": [WEB]}}
    assert without_nulls(template) is template


def test_a_spec_has_none() -> None:
    spec = {"template": {"spec": {"containers": [{**WEB, "args": None}], "volumes": None}}}
    assert WorkloadSpec.model_validate(spec).template == {"spec": {"containers": [WEB]}}
