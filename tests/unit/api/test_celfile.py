"""Reading .cel files: what sections stand for, and that nothing is named in vain."""

from __future__ import annotations

from pathlib import Path
from textwrap import dedent

import pytest

from twinhull.api.celfile import Cel, CelError


def read(folder: Path, text: str, **values: str) -> dict[str, dict[str, str]]:
    (folder / "main.cel").write_text(dedent(text), encoding="utf-8")
    return Cel("main", values, folder).texts


def test_sections_are_told_by_kind_in_their_order_and_without_comments(tmp_path: Path) -> None:
    texts = read(
        tmp_path,
        """\
        // What this is about.

        // Whether it is looked at.
        condition changed =
            // A comment inside.
            object != oldObject

        // The second comes after the first.
        variable first =
            [1, 2]
                .filter(n, n > 1)

        // It may refer to the one above.
        variable second =
            size(
                variables.first
            )
            + 1

        // Why not.
        refuse many =
            variables.second > 1

        message many =
            'a  // b'
        """,
    )

    assert texts == {
        "condition": {"changed": "object != oldObject"},
        "variable": {"first": "[1, 2].filter(n, n > 1)", "second": "size(variables.first) + 1"},
        "refuse": {"many": "variables.second > 1"},
        "message": {"many": "'a  // b'"},
        "expression": {},
        "macro": {},
    }
    assert list(texts["variable"]) == ["first", "second"]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("$sum(1, 2) * 3", "(1 + 2) * 3"),
        ("$sum(a.b + 1, c)", "((a.b + 1) + c)"),
        ("$sum(a - b, c) * 2", "((a - b) + c) * 2"),
        ("$doubled(x) * 2", "(x + x) * 2"),
        ("$one.size()", "object.?one.size()"),
        ("$sum($one, [])", "(object.?one + [])"),
        ("$order['a']", "{'a': 0}['a']"),
        ("s.matches('^a$') && 'a$|b'", "s.matches('^a$') && 'a$|b'"),
    ],
)
def test_a_macro_stands_for_one_operand_and_so_do_its_arguments(
    tmp_path: Path, written: str, meant: str
) -> None:
    texts = read(
        tmp_path,
        f"""\
        // Two parameters.
        macro sum(left, right) =
            $left + $right

        // A macro in a macro.
        macro doubled(number) =
            $sum($number, $number)

        // No parameters.
        macro one =
            object.?one

        // Each is used.
        expression used =
            [$doubled(1), $one, $order]

        // What is tested.
        expression tested =
            {written}
        """,
        order="{'a': 0}",
    )

    assert texts["expression"]["tested"] == meant


def test_a_file_that_several_include_is_read_once(tmp_path: Path) -> None:
    (tmp_path / "shared.cel").write_text("// Shared.\nvariable shared =\n    1\n", encoding="utf-8")
    (tmp_path / "other.cel").write_text("include shared\n", encoding="utf-8")

    texts = read(
        tmp_path,
        """\
        include shared

        include other

        // It is used.
        expression used =
            variables.shared
        """,
    )

    assert texts["variable"] == {"shared": "1"}


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("// A.\nexpression a =\n    $b", r"expression a: there is no \$b above it"),
        ("// A.\nexpression a =\n    $b(1)\n\n// B.\nmacro b(c) =\n    $c", r"a: there is no \$b above it"),
        ("// A.\nmacro a =\n    $a", r"macro a: there is no \$a above it"),
        ("// A.\nexpression a =\n    variables.b", "expression a: there is no variable b above it"),
        ("// A.\nvariable a =\n    variables.a", "variable a: there is no variable a above it"),
        ("// A.\nvariable a =\n    1", "main.cel: nothing uses variables.a"),
        ("// A.\nmacro a =\n    1", r"main.cel: nothing uses \$a"),
        ("// A.\nmacro a(b, c) =\n    $b + $c\n\n// D.\nexpression d =\n    $a(1)", r"d: \$a takes b, c"),
        ("// A.\nmacro a(b) =\n    $b\n\n// D.\nexpression d =\n    $a(f(1))", r"d: \$a takes b"),
        ("// A.\nmacro a =\n    1\n\n// D.\nexpression d =\n    $a(1)", r"d: \$a takes no arguments"),
        ("// A.\nrefuse a =\n    true", "main.cel: only one of refuse and message: a"),
        ("message a =\n    'b'", "main.cel: only one of refuse and message: a"),
        ("// A.\nexpression a =\n    1\n\n// A.\nexpression a =\n    2", "a: another one has that name"),
        (
            "expression a =\n    1",
            "main.cel: neither an include nor a section with a comment: expression a =",
        ),
        ("// A.\nconstant a =\n    1", "main.cel: neither an include nor a section .*: constant a ="),
        ("// A.\nexpression a =\n    1\nand 2", "main.cel: neither an include nor a section"),
        ("// A.\nexpression a =", "main.cel: neither an include nor a section"),
        ("include absent", "absent.cel: there is no such file"),
    ],
)
def test_what_does_not_fit_together_is_an_error(tmp_path: Path, text: str, why: str) -> None:
    with pytest.raises(CelError, match=why):
        read(tmp_path, text)


def test_a_value_that_nothing_uses_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(CelError, match=r"nothing uses \$order"):
        read(tmp_path, "// A.\nexpression a =\n    1", order="{}")


def test_a_value_that_is_not_given_is_an_error() -> None:
    with pytest.raises(CelError, match=r"variable strengths: there is no \$strengths above it"):
        Cel("isolation", {"strongest": "'VirtualMachine'"})
