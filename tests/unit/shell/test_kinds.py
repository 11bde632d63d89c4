"""URL paths of objects: no name leads to another path than its own."""

from __future__ import annotations

import pytest

from twinhull.api.disks import DataSource
from twinhull.shell.errors import NotFound
from twinhull.shell.kinds import DATA_SOURCE, NODE, POD

ELSEWHERE = [
    "..",
    ".",
    "../secrets/key",
    "shop/secrets/key",
    "web?watch=true",
    "web#web",
    "%2e%2e",
    "a\\b",
    "a\nb",
]


@pytest.mark.parametrize("name", ELSEWHERE)
def test_no_name_leads_elsewhere(name: str) -> None:
    for namespace, given in ((name, "web"), ("shop", name), (name, None)):
        with pytest.raises(NotFound, match="can have the name "):
            POD.path(namespace, given)


def test_each_object_has_its_path() -> None:
    assert POD.path("shop", "web.a-1") == "/api/v1/namespaces/shop/pods/web.a-1"
    assert POD.path("shop") == "/api/v1/namespaces/shop/pods"
    assert POD.path() == "/api/v1/pods"
    assert NODE.path(None, "node:1") == "/api/v1/nodes/node:1"
    assert DATA_SOURCE.path("images", "golden") == (
        "/apis/cdi.kubevirt.io/v1beta1/namespaces/images/datasources/golden"
    )


@pytest.mark.parametrize("namespace", ELSEWHERE)
def test_a_namespace_in_a_spec_is_a_name(namespace: str) -> None:
    with pytest.raises(ValueError, match="String should match pattern"):
        DataSource.model_validate({"name": "golden", "namespace": namespace})
