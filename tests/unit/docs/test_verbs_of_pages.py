"""Pages show the verbs of `twinhull` where it has one that does the same for each hull."""

from __future__ import annotations

import re

import pytest

from tests.pages import ROOT, read, steps
from twinhull.convert.docker.options import OPTIONS

PAGES = ["README.md", *(f"docs/{path.name}" for path in ROOT.glob("docs/*.md"))]
#: What flip, stop, start, logs, exec, attach, cp and port-forward do.
_BY_HAND = re.compile(
    r"kubectl patch twl \S+ --type merge (-p|--patch) '\{\"spec\": ?\{\"(state|isolationPolicy)\""
    r"|kubectl (logs|attach|cp|port-forward)\b"
)
_OF_VIRTCTL = re.compile(r"virtctl (console|vnc)\b")


@pytest.mark.parametrize("page", PAGES)
def test_a_reader_runs_the_verbs_of_twinhull(page: str) -> None:
    text = read(page)
    assert [step.command for step in steps(text) if _BY_HAND.match(step.command)] == []
    assert _OF_VIRTCTL.findall(text) == []


def test_what_people_type_for_a_deployment_has_its_verb() -> None:
    rows = dict(
        re.findall(r"^\| `(kubectl [^`]+)` \| (.*) \|$", read("docs/from-a-deployment.md"), re.MULTILINE)
    )
    verbs = {
        "kubectl rollout status": "`twinhull wait shop`",
        "kubectl rollout restart": "`twinhull restart shop`",
        "kubectl scale": "`twinhull stop shop`",
        "kubectl logs": "`twinhull logs -f shop`",
        "kubectl exec": "`twinhull exec -it shop -- sh`",
        "kubectl port-forward": "`twinhull port-forward shop 8080:80`",
    }
    for begin, verb in verbs.items():
        ((_, cell),) = [row for row in rows.items() if row[0].startswith(begin)]
        assert cell.startswith(verb)


def test_who_applies_from_git_is_told_of_the_field() -> None:
    for page in ("README.md", "docs/index.md", "docs/tour.md"):
        text = " ".join(read(page).split())
        assert "in Git" in text or "from Git" in text
        assert """kubectl patch twl""" in text
    assert "`spec.isolationPolicy: VirtualMachine`, in Git" in read("docs/from-a-deployment.md")


def test_logs_of_a_machine_are_named_by_the_verb_that_shows_them() -> None:
    assert "twinhull logs" in OPTIONS["log-driver"].sentence
    (row,) = [line for line in read("docs/parity.md").splitlines() if "kubectl logs, exec" in line]
    for verb in ("twinhull logs", "exec", "attach", "port-forward", "cp"):
        assert f"`{verb}`" in row


def test_convert_is_not_said_to_print_no_secrets() -> None:
    text = " ".join(read("docs/from-compose.md").split())
    assert "prints no secrets" not in text
    assert "The values of variables are in the Workload as they are" in text
