"""podtemplate.json: the PodTemplateSpec of the pinned Kubernetes, ready for a CustomResourceDefinition."""

from __future__ import annotations

import json

from tools.podtemplate.bounds import bounded
from tools.podtemplate.changes import changed
from tools.podtemplate.mistakes import ruled
from tools.podtemplate.nullable import nullable
from tools.podtemplate.structural import structural
from tools.podtemplate.upstream import module, schemas


def podtemplate() -> str:
    """The file's text; needs Go, and for its first run a module proxy."""
    types = changed(schemas(module()))
    schema = ruled(nullable(bounded(structural(types["core.v1.PodTemplateSpec"], types))))
    return json.dumps(schema, indent=1) + "\n"
