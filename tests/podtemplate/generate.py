"""podtemplate.json: the PodTemplateSpec of the pinned Kubernetes, ready for a CustomResourceDefinition."""

from __future__ import annotations

import json

from tests.podtemplate.bounds import bounded
from tests.podtemplate.changes import changed
from tests.podtemplate.mistakes import ruled
from tests.podtemplate.nullable import nullable
from tests.podtemplate.structural import structural
from tests.podtemplate.upstream import module, schemas


def podtemplate() -> str:
    """The file's text; needs Go, and for its first run a module proxy."""
    types = changed(schemas(module()))
    schema = ruled(nullable(bounded(structural(types["core.v1.PodTemplateSpec"], types))))
    return json.dumps(schema, indent=1) + "\n"
