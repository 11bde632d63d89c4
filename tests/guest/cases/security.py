"""The users and capabilities of processes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tests.guest.cases import documentation as docs
from tests.guest.scenario import Scenario, container
from tests.guest.templates.identities import SYSCTLS, identities

if TYPE_CHECKING:
    from tests.guest.scenariorun import ScenarioRun

#: What containerd gives to a container that asks for nothing.
_DEFAULT = {
    *("AUDIT_WRITE", "CHOWN", "DAC_OVERRIDE", "FOWNER", "FSETID", "KILL", "MKNOD", "NET_BIND_SERVICE"),
    *("NET_RAW", "SETFCAP", "SETGID", "SETPCAP", "SETUID", "SYS_CHROOT"),
}
_MASKED = ("/proc/kcore", "/proc/keys", "/proc/timer_list", "/sys/firmware")
SECURITY = Scenario(
    "security",
    {
        "spec": {
            "automountServiceAccountToken": False,
            "securityContext": {"sysctls": SYSCTLS},
            "containers": [
                *identities(volumeMounts=[{"name": "scratch", "mountPath": "/scratch"}]),
                container("unmasked", port=8086, securityContext={"procMount": "Default", "runAsGroup": 77}),
            ],
            "volumes": [{"name": "scratch", "emptyDir": {}}],
        }
    },
)


@SECURITY.case("root, with the runtime's usual capabilities, unless something else is said", docs.SECURITY)
def plain(run: ScenarioRun) -> None:
    found = run.report(8080)
    assert (found["uid"], found["gid"], found["groups"]) == (0, 0, [0])
    for kind in ("permitted", "effective", "bounding"):
        assert set(found["capabilities"][kind]) == _DEFAULT
    assert found["capabilities"]["ambient"] == []
    assert (found["noNewPrivs"], found["seccomp"], found["umask"]) == ("0", "0", "0022")


@SECURITY.case("not root, nothing but what was added, no way to more", docs.SECURITY)
def locked(run: ScenarioRun) -> None:
    found = run.report(81)
    assert (found["uid"], found["gid"]) == (1000, 1000)  # the group that the image's /etc/passwd says
    assert found["capabilities"]["bounding"] == ["NET_BIND_SERVICE"]
    assert found["capabilities"]["effective"] == []
    assert (found["noNewPrivs"], found["seccomp"]) == ("1", "2")


@SECURITY.case("a port below 1024 is anybody's", docs.SYSCTL)
def low_port(run: ScenarioRun) -> None:
    assert run.report(81)["sysctls"]["net.ipv4.ip_unprivileged_port_start"] == "0"


@SECURITY.case("a read-only root, and an emptyDir that isn't", docs.SECURITY)
def read_only(run: ScenarioRun) -> None:
    assert "ro" in run.mount(81, "/")["options"]
    assert run.get(81, "/write", path="/tmp/x", text="x") == "read-only file system"  # noqa: S108
    assert run.get(81, "/write", path="/scratch/x", text="x") == "done"
    assert "rw" in run.mount(8080, "/")["options"]


@SECURITY.case("capabilities added and dropped", docs.SECURITY)
def capabilities(run: ScenarioRun) -> None:
    assert set(run.report(8082)["capabilities"]["effective"]) == (_DEFAULT | {"SYS_TIME"}) - {"MKNOD"}


@SECURITY.case("privileged: all capabilities, all devices, nothing masked", docs.SECURITY)
def privileged(run: ScenarioRun) -> None:
    found = run.report(8083, *_MASKED)
    assert {"SYS_ADMIN", "SYS_MODULE", "NET_ADMIN"} <= set(found["capabilities"]["effective"])
    assert found["seccomp"] == "0"
    assert {"vda", "ttyS0", "kmsg"} <= set(found["devices"])
    assert not [mount for mount in found["mounts"] if mount["at"] in _MASKED]


@SECURITY.case("a user of the image, by name, with its groups", docs.SECURITY)
def named_user(run: ScenarioRun) -> None:
    found = run.report(8084)
    assert (found["uid"], found["gid"], sorted(found["groups"])) == (1000, 1000, [10, 50, 1000])
    assert run.env(8084)["HOME"] == "/home/app"


@SECURITY.case("a user of the image, by numbers", docs.SECURITY)
def numeric_user(run: ScenarioRun) -> None:
    found = run.report(8085)
    # Its group is lost: pkg/kubelet/kuberuntime/security_context.go takes only the number of the user.
    assert (found["uid"], found["gid"], found["groups"]) == (1234, 0, [0])
    assert run.env(8085)["HOME"] == "/"


@SECURITY.case("a group without a user", docs.SECURITY)
def group(run: ScenarioRun) -> None:
    found = run.report(8086)
    assert (found["uid"], found["gid"]) == (0, 77)


@SECURITY.case("what a container must not see of its node is masked", docs.SECURITY)
def masked(run: ScenarioRun) -> None:
    mounts = {mount["at"]: mount for mount in run.report(8080)["mounts"]}
    for path in _MASKED:
        assert mounts[path]["kind"] in {"tmpfs", "devtmpfs"}, path
    assert "ro" in mounts["/proc/sys"]["options"]
    assert "ro" in mounts["/sys"]["options"]
    assert "ro" in mounts["/sys/fs/cgroup"]["options"]


@SECURITY.case("the devices that every container has, and no others", docs.SECURITY)
def devices(run: ScenarioRun) -> None:
    assert set(run.report(8080)["devices"]) == {
        *(
            "core",
            "fd",
            "full",
            "mqueue",
            "null",
            "ptmx",
            "pts",
            "random",
            "shm",
            "stderr",
            "stdin",
            "stdout",
        ),
        *("termination-log", "tty", "urandom", "zero"),
    }


@SECURITY.case("sysctls", docs.SYSCTL)
def sysctls(run: ScenarioRun) -> None:
    found = run.report(8080)["sysctls"]
    assert found["kernel.shm_rmid_forced"] == "1"
    assert found["net.ipv4.ip_local_port_range"] == "20000 30000"


@SECURITY.case("limits, OOM score and signals as a node's runtime leaves them", docs.RESOURCES)
def limits(run: ScenarioRun) -> None:
    report = run.report(8080)
    assert report["oomScoreAdj"] == "1000"  # BestEffort
    assert report["signals"] == {"blocked": "0" * 16, "ignored": "0" * 16}
    assert report["pid"] == 1
    assert report["limits"]["Max core file size"][1] in {"unlimited", "0"}
    assert int(report["limits"]["Max open files"][1]) >= 1024 * 1024
    assert report["limits"]["Max processes"][1] != "0"
