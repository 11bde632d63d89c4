"""How large a Workload may be, by the CRD.

The numbers are those of api/templatebounds, which is slow to import; a test keeps them equal.
"""

from __future__ import annotations

from twinhull.api.group import Raw
from twinhull.convert.conversion import CannotConvert

MOST_VOLUMES = 256
MOST_ELEMENTS = 1024
#: The most labels of a template.
MOST_LABELS = 128
MOST_VALUES = 10_000
LONGEST_TEXT = 131_072


def check(workload: Raw, where: str) -> None:
    """Raise CannotConvert for a Workload that the API server would refuse because of its size.

    `where` is its place in the input.
    """
    template = workload["spec"]["template"]
    if len(template["spec"].get("volumes", ())) > MOST_VOLUMES:
        raise CannotConvert(f"{where}: a Workload has at most {MOST_VOLUMES} volumes: mount fewer")
    if len(template.get("metadata", {}).get("labels", ())) > MOST_LABELS:
        raise CannotConvert(f"{where}: a Workload's template has at most {MOST_LABELS} labels: have fewer")
    level, values = [("spec.template", template)], 1
    while level:
        below = []
        for path, value in level:
            if isinstance(value, str) and len(value) > LONGEST_TEXT:
                raise CannotConvert(
                    f"{where}: {path} would have more than {LONGEST_TEXT:,} characters: shorten it"
                )
            if isinstance(value, dict):
                below += [(f"{path}.{key}", element) for key, element in value.items()]
            elif isinstance(value, list):
                below += [(f"{path}[{index}]", element) for index, element in enumerate(value)]
            if isinstance(value, dict | list) and len(value) > MOST_ELEMENTS:
                raise CannotConvert(
                    f"{where}: {path} would have more than {MOST_ELEMENTS:,} elements: have fewer"
                )
        values += len(below)
        if values > MOST_VALUES:
            raise CannotConvert(
                f"{where}: a Workload's template has at most {MOST_VALUES:,} values: make it smaller"
            )
        level = below
