"""The names of isolations on the command line are written by hand: helps import nothing."""

from __future__ import annotations

import pytest

from twinhull.api.isolation import Isolation
from twinhull.verbs import isolationnames


def test_every_isolation_has_a_name() -> None:
    assert set(isolationnames.BY_NAME.values()) == {*Isolation, "Auto"}


@pytest.mark.parametrize("policy", [*Isolation, "Auto"])
def test_a_name_leads_to_its_isolation_and_back(policy: str) -> None:
    name = isolationnames.name_of(policy)
    assert isolationnames.policy_of(name) == isolationnames.policy_of(name.upper()) == policy
    assert isolationnames.policy_of(policy) == policy
