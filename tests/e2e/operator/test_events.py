"""The Events on a Workload: each thing that a person would want to know, once."""

from __future__ import annotations

import pytest

from tests.controlplane import Api, Kubectl
from tests.e2e.operator.subject import EXIT, NEVER_READY, Subject, container, template

pytestmark = pytest.mark.simulated


def test_a_whole_life_is_told_once_and_in_order(web: Subject) -> None:
    web.apply("Container", template(containers=[container(ports=[{"containerPort": 80}])]))
    pod = web.becomes("Ready")["status"]["hull"]["name"]
    web.change(isolationPolicy="VirtualMachine")
    machine = web.becomes("Ready")["status"]["hull"]["name"]
    web.change(state="Stopped")
    web.becomes("Stopped")
    web.change(state="Running")
    web.becomes("Ready")
    web.change(isolationPolicy="Container")
    web.becomes("Ready")
    web.change(
        template=template(
            {EXIT: "0"}, restartPolicy="Never", containers=[container(ports=[{"containerPort": 8080}])]
        )
    )
    job = web.becomes("Completed")["status"]["hull"]["name"]

    seen = web.all_events()
    expected = [
        ("Normal", "Created", f"created Pod {pod} (isolation Container)"),
        ("Normal", "Ready", f"Pod {pod} is ready"),
        ("Normal", "Replacing", f"deleted Pod {pod}: replaced by VirtualMachine {machine}"),
        ("Normal", "Created", f"created VirtualMachine {machine} (isolation VirtualMachine)"),
        ("Normal", "Ready", f"VirtualMachine {machine} is ready"),
        ("Normal", "Stopped", f"deleted VirtualMachine {machine}: spec.state is Stopped"),
        ("Normal", "Stopped", "stopped, as spec.state asks"),
        ("Normal", "Created", f"created VirtualMachine {machine} (isolation VirtualMachine)"),
        ("Normal", "Ready", f"VirtualMachine {machine} is ready"),
        ("Normal", "Replacing", f"deleted VirtualMachine {machine}: replaced by Pod {pod}"),
        ("Normal", "Created", f"created Pod {pod} (isolation Container)"),
        ("Normal", "Ready", f"Pod {pod} is ready"),
        ("Normal", "Replacing", f"deleted Pod {pod}: replaced by Pod {job}"),
        ("Normal", "ServiceChanged", "changed Service web to match the spec"),
        ("Normal", "Created", f"created Pod {job} (isolation Container)"),
        ("Normal", "Completed", "container web ended with exit code 0 (Completed)"),
    ]
    # Whether it is seen Ready before it has ended is the kubelet's haste.
    assert [event for event in seen if event != ("Normal", "Ready", f"Pod {job} is ready")] == expected


def test_what_goes_wrong_is_told_as_a_warning(web: Subject) -> None:
    web.apply("Sandbox", sandbox={"runtimeClassName": "nowhere"})
    web.becomes("RuntimeClassMissing")
    (event,) = web.all_events()
    assert event == (
        *("Warning", "RuntimeClassMissing"),
        "RuntimeClass nowhere does not exist: create it, or name another in spec.sandbox.runtimeClassName",
    )


def test_ceasing_to_be_ready_unasked_is_told_and_so_is_its_end(web: Subject) -> None:
    web.apply("Container")
    web.becomes("Ready")
    pod = web.hull()["metadata"]["name"]
    web.annotate("Pod", pod, **{NEVER_READY: "true"})
    web.becomes("ContainersNotReady")
    web.annotate("Pod", pod, **{NEVER_READY: None})
    web.becomes("Ready")
    assert web.all_events()[1:] == [
        ("Normal", "Ready", f"Pod {pod} is ready"),
        ("Warning", "ContainersNotReady", f"Pod {pod}: simulated"),
        ("Normal", "Ready", f"Pod {pod} is ready"),
    ]


def test_a_hull_that_comes_back_is_told(web: Subject, api: Api) -> None:
    web.apply("Container")
    web.becomes("Ready")
    pod = web.hull()["metadata"]
    api.delete("Pod", pod["name"], web.namespace)
    web.eventually(lambda: web.hull()["metadata"]["uid"] != pod["uid"], "another Pod is there")
    web.becomes("Ready")
    note = f"created Pod {pod['name']} again (isolation Container)"
    assert ("Normal", "Created", note) in web.gets_event("Created", times=2)[2:]


def test_kubectl_describe_shows_them(web: Subject, kubectl: Kubectl) -> None:
    web.apply("Container")
    web.becomes("Ready")
    web.gets_event("Ready")
    described = kubectl("describe", "workloads.twinhull.dev", "web", "--namespace", web.namespace)
    events = described[described.index("Events:") :]
    assert "twinhull.dev/operator" in events
    assert f"Pod {web.hull()['metadata']['name']} is ready" in events
