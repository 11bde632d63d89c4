"""Evaluates CEL as an API server does, by the CEL project's own engine: cel-expr-python, which wraps cel-cpp.

Beside the language itself the rules of our CRDs use Kubernetes' own library `format` (k8s.io/apiserver,
pkg/cel/library/format.go), and two libraries of cel-go: strings, and comprehensions with two variables
(cel.dev/cel-go, ext). cel-expr-python 0.1.3 compiles the latter, but lacks the function `cel.@mapInsert` that
the compiled programs call. So there are two environments: one compiles rules, and the other runs them with
that function defined here (docs/adr/0043-cel-by-the-cel-project.md).
"""

from __future__ import annotations

import re
from collections.abc import Callable
from functools import cache
from typing import Any

from twinhull.api.qualifiedname import is_qualified_name

#: How to get the engine where it is missing.
MISSING = "the package cel-expr-python isn't installed: pip install cel-expr-python"

_STRINGS = "extensions: [{name: strings}]"
_COMPILED = "extensions: [{name: strings}, {name: two-var-comprehensions}]"
#: A string of CEL, with either quote.
_TEXT = re.compile(r"'(?:[^'\\]|\\.)*'|\"(?:[^\"\\]|\\.)*\"")


class UncheckedError(Exception):
    """A rule can't be evaluated here, though an API server can. The message says why."""


class EvaluationError(Exception):
    """The evaluation of a rule ends with an error. In an API server, too, which then refuses the object."""


def holds(rule: str, value: object) -> bool:
    """Whether a rule holds for `value`, the rule's `self`, which is plain JSON.

    Raises UncheckedError if that can't be evaluated here, and EvaluationError if an API server couldn't
    evaluate it either.
    """
    if reason := _beyond(rule):
        raise UncheckedError(reason)
    try:
        evaluated = _program(rule).eval(data={"self": value})
        name, result = evaluated.type().name(), evaluated.plain_value()
    except RuntimeError as error:
        raise UncheckedError(f"the engine can't evaluate it: {str(error).partition(' [')[0]}") from error
    if name == "ERROR":
        if reason := unknown(rule):
            raise UncheckedError(reason)
        raise EvaluationError(str(result).partition(": ")[2] or str(result))
    return result is True


def _beyond(rule: str) -> str:
    """Why a rule can't be evaluated here at all, empty if it can."""
    code = _TEXT.sub("''", rule)
    if re.search(r"\boldSelf\b", code):
        return "it compares with the stored object, which only an API server has"
    if "__" in code:
        return "it names a field by an escape of Kubernetes' own"
    return "" if module() else MISSING


@cache
def unknown(rule: str) -> str:
    """What the engine doesn't know in a rule, such as a function of a later Kubernetes; empty if it knows
    all.

    This is called only after an error: checking the types of every rule takes three times as long as all
    else.
    """
    try:
        _environments()[0].compile(rule)
    except RuntimeError as error:
        return f"the engine doesn't know all of it: {str(error).splitlines()[0]}"
    return ""


@cache
def module() -> Any:  # noqa: ANN401  a module that may be missing
    """The engine's module, None if it isn't installed: it has no wheels for musl, nor for rare processors."""
    try:
        from cel_expr_python import cel  # noqa: PLC0415  may be missing
    except ImportError:
        return None
    return cel


@cache
def _program(rule: str) -> Any:  # noqa: ANN401  the engine's
    """A compiled rule, ready to be run."""
    compiler, runner = _environments()
    return runner.deserialize(compiler.compile(rule, disable_check=True).serialize())


@cache
def _environments() -> tuple[Any, Any]:
    """The environment that compiles rules, and the one that runs them."""
    cel = module()
    kinds = cel.Type
    named = cel.FunctionDecl(
        "format.qualifiedName",
        [_overload("format_qualified_name", kinds.STRING, [], lambda: "qualifiedName")],
    )
    validate = cel.FunctionDecl(
        "validate",
        [_overload("format_validate", kinds.LIST, [kinds.STRING, kinds.STRING], _complaints, member=True)],
    )
    has_value = cel.FunctionDecl(
        "hasValue", [_overload("optional_has_value", kinds.BOOL, [kinds.LIST], bool, member=True)]
    )
    insert = cel.FunctionDecl(
        "cel.@mapInsert",
        [
            _overload("@mapInsert_map_map", kinds.MAP, [kinds.MAP, kinds.MAP], _insert_all),
            _overload("@mapInsert_map_key_value", kinds.MAP, [kinds.MAP, kinds.DYN, kinds.DYN], _insert),
        ],
    )
    variables, formats = {"self": kinds.DYN}, [named, validate, has_value]
    compiler = cel.NewEnv(config=cel.NewEnvConfigFromYaml(_COMPILED), variables=variables, functions=formats)
    runner = cel.NewEnv(
        config=cel.NewEnvConfigFromYaml(_STRINGS), variables=variables, functions=[*formats, insert]
    )
    return compiler, runner


def _overload(
    name: str, result: object, parameters: list[Any], function: Callable[..., object], *, member: bool = False
) -> Any:  # noqa: ANN401  the engine's
    return module().Overload(name, result, parameters, is_member=member, impl=function)


def _complaints(_: str, text: str) -> list[str]:
    """The complaints about a qualified name, empty if there are none. In Kubernetes it is an optional, whose
    `hasValue` tells whether there are any.
    """
    return [] if is_qualified_name(text) else ["not a qualified name"]


def _insert_all(target: dict[object, object], more: dict[object, object]) -> dict[object, object]:
    for key, value in more.items():
        target = _insert(target, key, value)
    return target


def _insert(target: dict[object, object], key: object, value: object) -> dict[object, object]:
    """A map with another entry. As in cel-go, an existing key fails (ext/comprehensions.go, mapInsert)."""
    if key in target:
        raise ValueError(f"insert failed: key {key} already exists")
    return {**target, key: value}
