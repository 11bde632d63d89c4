"""CEL rules of CustomResourceDefinitions, as models and fields have them, and those in place of patterns."""

from __future__ import annotations

from typing import Any

from twinhull.api.group import Raw

#: What stands around the pattern in a rule for it.
_MATCHES = ("self.matches(r'", "')")


def rule(expression: str, message: str, *, field: str = "") -> dict[str, str]:
    """A CEL rule of a CustomResourceDefinition; `message` names the field and says what to do.

    `field` is the path of the field to blame, from where the rule is; the API server says it first.
    """
    return {"rule": expression, "message": message} | ({"fieldPath": f".{field}"} if field else {})


def validations(*rules: dict[str, str], **extra: Any) -> Raw:  # noqa: ANN401  JSON schema is JSON
    """What a model or field adds to its JSON schema: CEL rules, and any other keyword."""
    return {"x-kubernetes-validations": list(rules), **extra}


def matches(pattern: str, message: str) -> dict[str, str]:
    """A CEL rule in place of a text's pattern: its message says what to write, where the API server and
    `twinhull render` (validation.py) would only cite a pattern.
    """
    return rule(f"{_MATCHES[0]}{pattern}{_MATCHES[1]}", message)


def pattern_of(validation: dict[str, str]) -> str | None:
    """The pattern of such a rule, None for another rule."""
    expression, (begins, ends) = validation["rule"], _MATCHES
    is_such = (
        expression.startswith(begins)
        and expression.endswith(ends)
        and "'" not in expression[len(begins) : -len(ends)]
    )
    return expression[len(begins) : -len(ends)] if is_such else None


def in_words(pattern: str, message: str) -> Raw:
    """That rule as what a field adds to its JSON schema. The field's own pattern, which only the models then
    have, may let more in: what was stored before there was a rule has to stay readable.
    """
    return validations(matches(pattern, message))
