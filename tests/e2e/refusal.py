"""What the API server says against creating an object, without creating it."""

from __future__ import annotations

from typing import Any

from tests.controlplane import Api
from tests.controlplane.api import ApiError

Manifest = dict[str, Any]


def refusal(api: Api, manifest: Manifest) -> str:
    """What it says against creating a Workload, empty if nothing.

    A test that waits for a rule looks for the rule's own words in it: a name that is taken is a refusal, too.
    """
    path = api.path("Workload", manifest["metadata"]["namespace"])
    try:
        api.request("POST", path, manifest, query={"dryRun": "All"})
    except ApiError as error:
        return error.message
    return ""
