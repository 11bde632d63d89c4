"""A person's session: what the API server says reaches no terminal as it is."""

from __future__ import annotations

import click
import pytest

from twinhull.cli.session import explained
from twinhull.cli.targets import Target
from twinhull.shell.errors import ApiError, Conflict, NotFound, Refused, Unauthorized, Unreachable


@pytest.mark.parametrize("error", [Refused, Conflict, NotFound, Unauthorized, Unreachable])
def test_the_api_servers_words_have_no_control_characters(error: type[ApiError]) -> None:
    with pytest.raises(click.ClickException) as told, explained(Target()):
        raise error("\x1b]0;owned\x07 denied\nby a webhook")
    assert "\\x1b]0;owned\\x07 denied by a webhook" in told.value.message
    assert told.value.message.isprintable()


def test_a_target_is_repeated_by_the_options_that_were_given() -> None:
    assert Target("shop", "", "a file").options == ["-n", "shop", "--kubeconfig", "a file"]
    assert Target().options == []
