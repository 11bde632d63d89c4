"""Kubernetes' own description of its types, read from its Go module.

The version is the one that the test control plane is built from. Two files of that module are read:

- api/openapi-spec/v3/api__v1_openapi.json, the document of /openapi/v3/api/v1, which has no enums;
- pkg/generated/openapi/zz_generated.openapi.go, which an API server makes its document from and which has
  them (the committed document leaves them out: hack/update-openapi-spec.sh switches OpenAPIEnums off).
"""

from __future__ import annotations

import json
import re
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any, TypeAlias

from tools.gobuild import Go

Schema: TypeAlias = dict[str, Any]
Schemas: TypeAlias = dict[str, Schema]

#: The folder whose go.mod pins Kubernetes.
PINNED = Path(__file__).parents[2] / "tests/controlplane/go/kubernetes"

#: What starts the description of a type, such as `func schema_k8sio_api_core_v1_Container(`.
_TYPE = re.compile(r"func schema_k8sio_(?P<path>\w+)_(?P<name>[A-Za-z]+)\(")
#: What starts the description of a field of it, at its fixed depth in gofmt's output.
_FIELD = re.compile(r'\t{5}"(?P<name>\w+)": \{')
#: The values of an enum: the field's own, or one level down, those of its items.
_ENUM = re.compile(r"\t+Enum: +\[\]interface\{\}\{(?P<values>.*)\},")


def module() -> Path:
    """The folder of Kubernetes' pinned source, downloaded into Go's module cache where it's missing.

    Raises BuildError without a Go that is new enough.
    """
    command = [Go.find().path, "mod", "download", "-json", "k8s.io/kubernetes"]
    answer = subprocess.run(command, cwd=PINNED, check=True, stdout=subprocess.PIPE)
    return Path(json.loads(answer.stdout)["Dir"])


def schemas(source: Path) -> Schemas:
    """Every type of the document by its name, such as `core.v1.Container`, with its enums put in."""
    document = json.loads((source / "api/openapi-spec/v3/api__v1_openapi.json").read_text(encoding="utf-8"))
    types = {short_name(name): schema for name, schema in document["components"]["schemas"].items()}
    go = (source / "pkg/generated/openapi/zz_generated.openapi.go").read_text(encoding="utf-8")
    for name, field, values in enums(go):
        if name in types:
            target = types[name]["properties"][field]
            target.get("items", target)["enum"] = values
    return types


def short_name(name: str) -> str:
    """A type's package and name without what all of them share: `meta.v1.Time`, `core.v1.Container`."""
    return ".".join(name.split(".")[-3:])


def enums(go: str) -> Iterator[tuple[str, str, list[str]]]:
    """Type, field and values of every enum in the generated Go code of core types."""
    name = field = ""
    for line in go.splitlines():
        if match := _TYPE.match(line):
            name = short_name(f"{match['path']}_{match['name']}".replace("_", "."))
        elif match := _FIELD.match(line):
            field = match["name"]
        elif match := _ENUM.match(line):
            yield name, field, json.loads(f"[{match['values']}]")
