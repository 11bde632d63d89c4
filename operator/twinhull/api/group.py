"""The API's group and version. Who needs no models has them from here: importing pydantic takes a while."""

from __future__ import annotations

from typing import Any, TypeAlias

GROUP = "twinhull.dev"
VERSION = "v1alpha1"
API_VERSION = f"{GROUP}/{VERSION}"

#: A Kubernetes object, or a part of one, as JSON gives it.
Raw: TypeAlias = dict[str, Any]
