"""docs/flips.md: its examples are applied one after the other, and come to what the page says of them."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
import yaml

from tests.e2e.operator.subject import Manifest, Subject

pytestmark = pytest.mark.simulated

PAGE = (Path(__file__).parents[3] / "docs" / "flips.md").read_text(encoding="utf-8")
EXAMPLES: list[Manifest] = [
    yaml.safe_load(text) for text in re.findall(r"^```yaml\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
]


def test_a_good_change_serves_a_bad_one_costs_nothing_and_a_restart_is_a_new_hull(web: Subject) -> None:
    shop = web.named("shop")
    good, bad = EXAMPLES

    apply(shop, good)
    first = shop.becomes("Ready")["status"]["hull"]["name"]

    apply(shop, bad)
    shop.becomes("ProgressDeadlineExceeded")
    shop.eventually(lambda: shop.belongings()["Pod"] == [first], "the first hull is left, alone")

    apply(shop, good)
    assert shop.becomes("Ready")["status"]["hull"]["name"] == first

    restart = re.findall(r"^\$ kubectl annotate twl shop (\S+?)=", PAGE, re.MULTILINE)
    shop.annotate("Workload", "shop", **dict.fromkeys(restart, "now"))
    shop.eventually(lambda: shop.get()["status"]["hull"]["name"] != first, "there is another hull")
    shop.becomes("Ready")


def apply(shop: Subject, example: Manifest) -> None:
    shop.cluster.kubectl.apply(
        example, "--namespace", shop.namespace, "--validate=strict", "--warnings-as-errors"
    )
