"""`make audit`: what is read from the answers of pip-audit and govulncheck."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from tools.audit import golang, pypi
from tools.audit.verdict import Advisory, Verdict, exit_code

ROOT = Path(__file__).parents[2]
KNOWN = {"id": "PYSEC-2026-1", "fix_versions": ["3.14.6", "3.15.1"], "aliases": [], "description": "…"}
KNOWN_ADVISORY = Advisory("aiohttp", "3.14.5", "PYSEC-2026-1", "3.14.6, 3.15.1")


def audited(*dependencies: dict[str, Any]) -> Verdict:
    """What pip-audit's answer comes to; it says on stderr that all is well when it has found nothing."""
    answer = json.dumps({"dependencies": list(dependencies), "fixes": []})
    return pypi.read("a.lock", answer, "No known vulnerabilities found\n")


def checked(level: str, *findings: dict[str, Any]) -> Verdict:
    """What govulncheck's messages come to."""
    messages = [{"config": {"protocol_version": "v1.0.0"}}, *({"finding": one} for one in findings)]
    return golang.read("agent", "\n".join(json.dumps(message, indent=2) for message in messages), level)


def finding(fixed: str = "v1.26.9", **place: str) -> dict[str, Any]:
    caller = {"module": "twinhull.dev/guest/agent", "package": "main", "function": "main"}
    found = {"osv": "GO-2026-1", "trace": [{"module": "stdlib", "version": "v1.26.8", **place}, caller]}
    return found | ({"fixed_version": fixed} if fixed else {})


def test_packages_of_which_nothing_is_known() -> None:
    verdict = audited({"name": "click", "version": "8.2.0", "vulns": []})
    assert verdict == Verdict("a.lock")
    assert verdict.lines() == ["a.lock: nothing known"]


def test_a_package_of_which_something_is_known() -> None:
    verdict = audited({"name": "aiohttp", "version": "3.14.5", "vulns": [KNOWN]})
    assert verdict == Verdict("a.lock", (KNOWN_ADVISORY,))
    assert verdict.lines() == [
        "a.lock: 1 known",
        "  aiohttp 3.14.5: PYSEC-2026-1, fixed in 3.14.6, 3.15.1",
    ]


def test_what_pip_audit_did_not_look_up_is_no_good_news() -> None:
    """It calls that well: the index that it was given may have no advisories at all."""
    skipped = {"name": "click", "skip_reason": "Dependency not found on PyPI and could not be audited"}
    verdict = audited(skipped, {"name": "aiohttp", "version": "3.14.5", "vulns": [KNOWN]})
    assert verdict.advisories == (KNOWN_ADVISORY,)
    assert verdict.lines()[0] == (
        "a.lock: NOT AUDITED: of 2 packages 1 weren't looked up: "
        "Dependency not found on PyPI and could not be audited"
    )


def test_no_answer_is_no_good_news() -> None:
    verdict = pypi.read("a.lock", "", "Traceback …\nConnectionError: no such host\n\n")
    assert verdict == Verdict("a.lock", unknown="ConnectionError: no such host")


def test_of_our_own_code_what_it_calls_counts() -> None:
    imported = finding(package="net/http")
    called = finding(package="net/http", function="Serve")
    assert checked("function", imported, finding()).advisories == ()
    assert checked("function", imported, called, called).advisories == (
        Advisory("stdlib", "v1.26.8", "GO-2026-1", "v1.26.9"),
    )


def test_of_other_programs_the_packages_that_they_are_made_of_count() -> None:
    assert checked("package", finding()).advisories == ()
    verdict = checked("package", finding(), finding("", package="net/http"))
    assert verdict.lines() == ["agent: 1 known", "  stdlib v1.26.8: GO-2026-1, fixed in no version"]


def test_the_exit_code_tells_good_news_from_none() -> None:
    good, unknown = Verdict("a"), Verdict("b", unknown="no such host")
    bad = Verdict("c", (KNOWN_ADVISORY,))
    assert exit_code([good]) == 0
    assert exit_code([good, unknown]) == 2
    assert exit_code([bad, unknown, good]) == 1


def test_every_module_of_the_guest_is_audited_and_our_own_the_closest() -> None:
    found = {str(module.relative_to(ROOT)): ours for module, ours in golang.modules(ROOT)}
    assert found == {
        "guest/agent": True,
        "guest/image/go/containerd": False,
        "guest/image/go/kubelet": False,
    }


def test_pip_audit_is_pinned_by_hash() -> None:
    folder = ROOT / "tools" / "audit"
    pin = (folder / "requirements.in").read_text(encoding="utf-8").strip()
    assert f"\n{pin} \\\n    --hash=sha256:" in (folder / "requirements.lock").read_text(encoding="utf-8")
