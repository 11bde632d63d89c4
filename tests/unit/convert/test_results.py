"""Everything that is converted keeps the rules of the CRD, those in CEL among them."""

from __future__ import annotations

from tests.conversions.results import results
from twinhull.validation.document import refusals


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
