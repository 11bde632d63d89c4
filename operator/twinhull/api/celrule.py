"""CEL rules in CustomResourceDefinitions: in a model's or field's schema, or in place of a pattern."""

from __future__ import annotations

from typing import Any

from twinhull.api.group import Raw

#: The text before and after the pattern in such a rule.
_MATCHES = ("self.matches(r'", "')")


def rule(expression: str, message: str, *, field: str = "") -> dict[str, str]:
    """A CEL rule of a CustomResourceDefinition. `message` names the field and says what to do.

    `field` is the path of the wrong field from the rule's place on. The API server's message begins with it.
    """
    return {"rule": expression, "message": message} | ({"fieldPath": f".{field}"} if field else {})


def validations(*rules: dict[str, str], **extra: Any) -> Raw:  # noqa: ANN401  JSON schema is JSON
    """The part of a JSON schema with CEL rules, and with any other keywords."""
    return {"x-kubernetes-validations": list(rules), **extra}


def matches(pattern: str, message: str) -> dict[str, str]:
    """A CEL rule in place of a pattern. Its message says what to write; for a pattern the API server and
    `twinhull render` (validation.py) would only cite the pattern.
    """
    return rule(f"{_MATCHES[0]}{pattern}{_MATCHES[1]}", message)


def pattern_of(validation: dict[str, str]) -> str | None:
    """The pattern that a CEL rule stands for. None for any other rule."""
    expression, (begins, ends) = validation["rule"], _MATCHES
    is_such = (
        expression.startswith(begins)
        and expression.endswith(ends)
        and "'" not in expression[len(begins) : -len(ends)]
    )
    return expression[len(begins) : -len(ends)] if is_such else None


def in_words(pattern: str, message: str) -> Raw:
    """The part of a field's JSON schema with such a rule. The field's own pattern is only in the model then,
    and may allow more: objects that were stored before the rule existed must stay readable.
    """
    return validations(matches(pattern, message))
