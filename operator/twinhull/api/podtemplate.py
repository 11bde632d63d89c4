"""The schema of spec.template: the PodTemplateSpec of Kubernetes 1.37, without its descriptions."""

from __future__ import annotations

import json
from functools import cache
from importlib.resources import files

from twinhull.api.base import Raw


@cache
def podtemplate() -> Raw:
    """The structural schema that tools/podtemplate makes from Kubernetes' source. All callers share one."""
    schema: Raw = json.loads((files(__package__) / "podtemplate.json").read_text(encoding="utf-8"))
    return schema
