"""Everything that is converted keeps the rules of the CRD, those in CEL among them, and what can't be in a
machine is known by its fields. tests/e2e/operator/test_converted.py shows the same on a control plane.
"""

from __future__ import annotations

import pytest

from tests.conversions.namespaced_objects import namespaced_objects
from tests.conversions.outcomes import REFUSED
from tests.conversions.results import results
from tests.unit.convert.rendering import refused
from twinhull.validation.document import refusals


@pytest.mark.slow
def test_the_api_server_would_take_all_workloads_that_are_made() -> None:
    found = results()
    assert len({result.name for result in found}) == len(found) > 250
    assert [result.name for result in found if not result.workloads] == []
    refused = {
        result.name: wrong
        for result in found
        if (wrong := [one for obj in result.workloads for one in refusals("Workload", obj)])
    }
    assert refused == {}


@pytest.mark.slow
def test_a_machine_refuses_the_fields_that_are_known() -> None:
    fields: dict[str, list[str]] = {}
    for one in namespaced_objects(results(), "converted"):
        if one.has_containers:
            started = {**one.obj, "spec": {**one.obj["spec"], "state": "Running"}}
            named = refused([started], "VirtualMachine")
            fields |= {one.title: [field.removeprefix("spec.template.") for field in named]} if named else {}
    assert fields == REFUSED
