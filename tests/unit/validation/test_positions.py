"""Where fields stand in files."""

from __future__ import annotations

import pytest
import yaml

from twinhull.validation.positions import position

TEXT = """\
metadata:
  labels:
    app: a
    app.kubernetes.io/name: b
  "annotations": {x: "1", "y.z": '2'}
spec:
  containers:
  - image: a
    name: first
    env: [{name: A}, {name: B,
      value: ä}]
  - {name: "second", ports: []}
  twice: 1
  twice: {below: 2}
"""


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("", (1, 1)),
        ("metadata", (1, 1)),
        ("metadata.labels.app", (3, 5)),
        ("metadata.labels.app.kubernetes.io/name", (4, 5)),
        ("metadata.annotations", (5, 3)),
        ("metadata.annotations.y.z", (5, 27)),
        ("spec.containers[0]", (8, 5)),
        ("spec.containers[0].name", (9, 5)),
        ("spec.containers[0].env[1].value", (11, 7)),
        ("spec.containers[first].env[B].value", (11, 7)),
        ("spec.containers[1].ports", (12, 22)),
        ("spec.containers[second].ports[3]", (12, 22)),
        ("spec.twice.below", (14, 11)),
        ("spec.replacement.strategy", (6, 1)),
        ("spec.containers[0].nam", (8, 5)),
        ("spec.containers[7].name", (7, 3)),
        ("nothing.at.all", (1, 1)),
    ],
)
def test_a_path_has_the_place_of_its_key_or_of_the_nearest_above(
    path: str, expected: tuple[int, int]
) -> None:
    node = yaml.compose(TEXT, yaml.SafeLoader)
    assert node is not None
    assert position(node, path) == expected
    line, column = expected
    assert position(node, path, first_line=10) == (line + 10, column)
