"""Why a write wasn't made, by the kind that was to be written: a reason for any kind."""

from __future__ import annotations

import pytest

from twinhull.core.reasons import KNOWN
from twinhull.shell.kinds import CLAIM, CONFIG_MAP, POD, POD_TEMPLATE, SERVICE, VIRTUAL_MACHINE, Kind
from twinhull.shell.refusal_reasons import failure_reason, refusal_reason


@pytest.mark.parametrize("kind", [POD, POD_TEMPLATE, VIRTUAL_MACHINE, SERVICE, CONFIG_MAP, CLAIM])
def test_each_kind_that_is_written_has_known_reasons(kind: Kind) -> None:
    assert refusal_reason(kind.name) in KNOWN
    assert failure_reason(kind.name) in KNOWN


def test_a_kind_that_is_not_known_has_reasons_all_the_same() -> None:
    assert refusal_reason("Gadget") == "GadgetRefused"
    assert failure_reason("Gadget") == "GadgetFailed"
