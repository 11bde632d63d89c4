"""CEL by the engine: what it makes of our rules, and of what Kubernetes has beside the language."""

from __future__ import annotations

import sys
from typing import Any

import pytest

from twinhull.validation import engine
from twinhull.validation.definitions import schemas
from twinhull.validation.engine import EvaluationError, UncheckedError, holds
from twinhull.validation.rules import Unchecked, all_rules, broken

RULES = sorted({rule["rule"] for schema in schemas().values() for _, rule in all_rules(schema)})
TRANSITIONS = [rule for rule in RULES if "oldSelf" in rule]
OTHERS = [rule for rule in RULES if rule not in TRANSITIONS]


def test_there_are_the_rules_of_every_kind() -> None:
    assert schemas().keys() >= {"Workload", "IsolationPolicy"}
    assert len(OTHERS) > 75


@pytest.mark.parametrize("rule", OTHERS)
def test_each_rule_of_ours_compiles_with_its_types_checked(rule: str) -> None:
    assert engine.unknown(rule) == ""


@pytest.mark.parametrize(
    ("rule", "value", "expected"),
    [
        # By cel-go: a missing key is an error, which || and && take back if the other side decides.
        ("self.a || true", {}, True),
        ("self.all(x, has(x.a) && x.a == 1)", [{"a": 1}, {}], False),
        ("has(self.a)", {"a": None}, True),
        ("has(self.a) && dyn(self.a) != null", {"a": None}, False),
        ("size(self) == 4", "äö€😀", True),  # code points
        ("self.matches('^[a-z]$')", "a\n", False),  # RE2: $ is the end of the text
        ("self.matches('(?i)[.]ova([?#]|$)')", "https://a/b.OVA?c", True),
        ("type(self) == int", 80, True),
        ("type(self) == int", True, False),
        ("self in ['', 'Always']", "", True),
        ("self.exists_one(x, x == 1)", [1, 1], False),
        ("{'a': 0, 'b': 1}[self] <= 0", "b", False),
        ("self.transformMapEntry(i, x, {x: i}) == {'a': 0, 'b': 1}", ["a", "b"], True),
        ("size([].transformMapEntry(i, x, {x: i, i: x})) == 0", None, True),
        ("self.all(key, !format.qualifiedName().validate(key).hasValue())", {"a.b/C_d": ""}, True),
        ("self.all(key, !format.qualifiedName().validate(key).hasValue())", {"A.b/c": ""}, False),
        ("self.all(key, !format.qualifiedName().validate(key.lowerAscii()).hasValue())", {"A.b/c": ""}, True),
    ],
)
def test_it_evaluates_as_an_api_server(rule: str, value: Any, expected: bool) -> None:  # noqa: FBT001
    assert holds(rule, value) is expected


@pytest.mark.parametrize(
    ("rule", "value", "words"),
    [
        ("self.a", {}, "Key not found"),
        ("{'a': 0}[self] == 0", "b", "Key not found"),
        ("self[1] == 0", [0], "index=1"),
        ("size(self.transformMapEntry(i, x, {x: true})) >= 0", ["a", "a"], "key a already exists"),
        ("self + 1 == 2", "1", "No matching overloads"),
    ],
)
def test_what_an_api_server_fails_at_fails_here(rule: str, value: Any, words: str) -> None:
    with pytest.raises(EvaluationError, match=words):
        holds(rule, value)


@pytest.mark.parametrize(
    ("rule", "value", "why"),
    [
        ("self == oldSelf", 1, "compares with the stored object"),
        ("self.__namespace__ == ''", {}, "escape"),
        ("self.all(a, self.exists_one(b, a == b))", list(range(200)), "Iteration budget exceeded"),
        ("url(self).getHost() == ''", "https://a", "undeclared reference|No overload"),
        ("self ==", 1, "Syntax error"),
    ],
)
def test_what_cannot_be_told_here_is_told_to_be_unchecked(rule: str, value: Any, why: str) -> None:
    with pytest.raises(UncheckedError, match=why):
        holds(rule, value)
    schema = {"x-kubernetes-validations": [{"rule": rule, "message": "m"}]}
    (unchecked,) = broken({"properties": {"a": schema}}, {"a": value})
    assert isinstance(unchecked, Unchecked)
    assert (unchecked.path, unchecked.rule) == ("a", "m")


def test_words_in_strings_are_none_of_the_rule_s() -> None:
    assert holds("self != 'oldSelf' && self != \"a__b\"", "x")


def test_without_the_engine_every_rule_is_unchecked_and_the_package_named(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setitem(sys.modules, "cel_expr_python", None)
    engine.module.cache_clear()
    try:
        with pytest.raises(UncheckedError, match="pip install cel-expr-python"):
            holds("true", 1)
    finally:
        monkeypatch.undo()
        engine.module.cache_clear()
    assert holds("true", 1)
