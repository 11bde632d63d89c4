"""Who is let into a machine, by which certificate, and until when: the controller, on a store."""

from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import dsa, ec, ed25519, rsa
from cryptography.x509.oid import NameOID

from twinhull.core.actions import Delete
from twinhull.hulls import authority
from twinhull.hulls.manifest import DIGEST_ANNOTATION
from twinhull.hulls.report import Report
from twinhull.shell import kinds
from twinhull.shell.access_controller import AccessController
from twinhull.shell.controller import ObjectPlan
from twinhull.shell.queue import Queue
from twinhull.shell.store import Store

Raw = dict[str, Any]
SECRET = b"s" * 32
CREATED = datetime(2026, 1, 1, tzinfo=UTC)
#: The guest's own; any will do.
CERTIFICATE = authority.certificate(b"g" * 32, "any")
FINGERPRINT = authority.fingerprint(CERTIFICATE)
KEY = ("shop", "ann")
IN_MACHINE = {"hull": {"kind": "VirtualMachine", "name": "web-1"}}


def certificate_request(key: Any = None, *, forged: bool = False) -> str:
    """A certificate request; a forged one has another key than the one that it is signed by."""
    key = key or ed25519.Ed25519PrivateKey.generate()
    subject = x509.Name([x509.NameAttribute(NameOID.ORGANIZATIONAL_UNIT_NAME, "exec")])
    algorithm = None if isinstance(key, ed25519.Ed25519PrivateKey) else hashes.SHA256()
    der = (
        x509.CertificateSigningRequestBuilder(subject)
        .sign(key, algorithm)
        .public_bytes(serialization.Encoding.DER)
    )
    if forged:
        der = der[:-1] + bytes([der[-1] ^ 1])
    return x509.load_der_x509_csr(der).public_bytes(serialization.Encoding.PEM).decode()


class Cluster:
    """A Workload in a machine whose guest has answered, and one request for it."""

    def __init__(self) -> None:
        self.store, self.reports = Store(), dict[str, Report]()
        self.queue, self.now = Queue(workers=1), CREATED + timedelta(seconds=5)
        self.controller = AccessController(self.store, self.queue, self.reports, SECRET, lambda: self.now)
        self._version = 0
        self.put(
            kinds.WORKLOAD, "web", uid="w1", status={"hull": {"kind": "VirtualMachine", "name": "web-1"}}
        )
        self.put_machine()
        self.reports["i1"] = Report({"phase": "Running"}, pod="web-1", certificate=CERTIFICATE)
        self.ask()

    def put(self, kind: kinds.Kind, name: str, *, uid: str, metadata: Raw | None = None, **more: Any) -> None:
        self._version += 1
        self.store.put(
            kind,
            {
                "apiVersion": kind.api_version,
                "kind": kind.name,
                "metadata": {
                    "namespace": "shop",
                    "name": name,
                    "uid": uid,
                    "generation": 1,
                    "resourceVersion": str(self._version),
                    "creationTimestamp": f"{CREATED:%Y-%m-%dT%H:%M:%SZ}",
                    **(metadata or {}),
                },
                **more,
            },
        )

    def put_machine(self, *, digest: str = "d" * 64, workload_uid: str = "w1") -> None:
        owner = {
            "apiVersion": "twinhull.dev/v1alpha1",
            "kind": "Workload",
            "name": "web",
            "uid": workload_uid,
        }
        metadata = {
            "labels": {"twinhull.dev/workload": "web"},
            "ownerReferences": [{**owner, "controller": True}],
        }
        notes = {"metadata": {"annotations": {DIGEST_ANNOTATION: digest}}} if digest else {}
        self.put(kinds.VIRTUAL_MACHINE, "web-1", uid="m1", metadata=metadata, spec={"template": notes})
        status = {"phase": "Running", "interfaces": [{"ipAddress": "10.0.0.7"}]}
        self.put(
            kinds.VIRTUAL_MACHINE_INSTANCE,
            "web-1",
            uid="i1",
            metadata={"labels": {"twinhull.dev/workload": "web"}},
            spec={},
            status=status,
        )

    def ask(self, *, request: str = "", status: Raw | None = None, **spec: Any) -> None:
        fields = {
            "workload": "web",
            "request": request or certificate_request(),
            "usages": ["logs", "exec"],
            "expirationSeconds": 600,
            **spec,
        }
        self.put(kinds.ACCESS_REQUEST, "ann", uid="r1", spec=fields, status=status or {})

    def plan(self) -> ObjectPlan:
        observed = self.controller.observe(KEY)
        assert observed is not None
        self.controller.remember(KEY, observed)
        return self.controller.plan(observed)

    def status(self) -> Raw:
        plan = self.plan()
        assert plan.status is not None
        return plan.status()

    def ready(self) -> tuple[str, str, str]:
        """The condition Ready, its reason, and whether the request is Stalled."""
        conditions = {one["type"]: one for one in self.status()["conditions"]}
        assert (conditions["Reconciling"]["status"] == "True") == (
            conditions["Ready"]["status"] == conditions["Stalled"]["status"] == "False"
        )
        return conditions["Ready"]["status"], conditions["Ready"]["reason"], conditions["Stalled"]["status"]


@pytest.fixture
def cluster() -> Cluster:
    return Cluster()


@pytest.mark.parametrize(
    "key",
    [
        ed25519.Ed25519PrivateKey.generate(),
        ec.generate_private_key(ec.SECP256R1()),
        ec.generate_private_key(ec.SECP384R1()),
        rsa.generate_private_key(65537, 2048),
    ],
    ids=["Ed25519", "P-256", "P-384", "RSA 2048"],
)
def test_a_certificate_names_the_usages_the_boot_and_the_end_and_nothing_that_was_asked_otherwise(
    cluster: Cluster, key: Any
) -> None:
    cluster.ask(request=certificate_request(key), usages=["logs"], expirationSeconds=120)
    status = cluster.status()
    made = x509.load_pem_x509_certificate(status["certificate"].encode())
    made.verify_directly_issued_by(
        x509.load_pem_x509_certificate(authority.certificate(SECRET, "w1").encode())
    )
    assert made.public_key() == key.public_key()
    subject = [(part.oid, part.value) for part in made.subject]
    assert subject == [
        (NameOID.COMMON_NAME, "shop/ann"),
        (NameOID.ORGANIZATIONAL_UNIT_NAME, "logs"),
        (NameOID.SERIAL_NUMBER, FINGERPRINT),
    ]
    assert made.not_valid_after_utc == CREATED + timedelta(seconds=120)
    usages = made.extensions.get_extension_for_class(x509.ExtendedKeyUsage).value
    assert [usage.dotted_string for usage in usages] == ["1.3.6.1.5.5.7.3.21"]
    assert status["guest"] == {
        "machine": "web-1",
        "uid": "i1",
        "port": 65250,
        "certificate": CERTIFICATE,
        "fingerprint": FINGERPRINT,
    }
    assert status["expiresAt"] == "2026-01-01T00:02:00Z"
    assert cluster.ready() == ("True", "Issued", "False")


@pytest.mark.parametrize(
    ("request_text", "why"),
    [
        ("nothing", "PEM"),
        ("-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----\n", "parsing"),
        (certificate_request(forged=True), "isn't signed by its own key"),
        (certificate_request(rsa.generate_private_key(65537, 1024)), "RSA of 2048 to 4096 bits"),  # noqa: S505
        (certificate_request(ec.generate_private_key(ec.SECP521R1())), "P-256 or P-384"),
        (certificate_request(dsa.generate_private_key(2048)), "neither Ed25519"),
    ],
    ids=["no PEM", "no request", "forged", "weak", "another curve", "another kind"],
)
def test_no_certificate_is_made_of_what_proves_no_key(cluster: Cluster, request_text: str, why: str) -> None:
    cluster.ask(request=request_text)
    status = cluster.status()
    assert "certificate" not in status
    assert why in status["conditions"][0]["message"]
    assert cluster.ready() == ("False", "RequestRefused", "True")


def test_nobody_is_let_into_what_has_no_guest(cluster: Cluster) -> None:
    cluster.put(kinds.WORKLOAD, "web", uid="w1", status={"hull": {"kind": "Pod", "name": "web-1"}})
    assert cluster.ready() == ("False", "NoGuest", "True")
    cluster.put(kinds.WORKLOAD, "web", uid="w1", status=IN_MACHINE)
    cluster.put_machine(digest="")
    assert cluster.ready() == ("False", "NoGuest", "True")


def test_an_earlier_guest_is_named(cluster: Cluster) -> None:
    cluster.reports["i1"] = Report({"phase": "Running"}, pod="web-1")
    assert cluster.ready() == ("False", "GuestOutdated", "True")
    message = cluster.status()["conditions"][0]["message"]
    assert "earlier version" in message
    assert message.endswith("run twinhull restart web -n shop")


def test_a_request_waits_for_its_workload_and_for_the_guest(cluster: Cluster) -> None:
    cluster.ask(workload="other")
    assert cluster.ready() == ("False", "WorkloadMissing", "True")
    cluster.put(kinds.WORKLOAD, "other", uid="w2")
    assert cluster.ready() == ("False", "GuestUnseen", "False")
    cluster.ask()
    del cluster.reports["i1"]
    assert cluster.ready() == ("False", "GuestUnseen", "False")
    assert "twinhull status web -n shop says" in cluster.status()["conditions"][0]["message"]


def test_a_machine_of_an_earlier_workload_of_that_name_is_none_of_its_own(cluster: Cluster) -> None:
    cluster.put(kinds.WORKLOAD, "web", uid="w9", status=IN_MACHINE)
    assert cluster.ready() == ("False", "GuestUnseen", "False")


def test_news_of_the_workload_asks_for_those_who_wait_for_it(cluster: Cluster) -> None:
    cluster.plan()
    cluster.controller.wake(("shop", "web"))
    cluster.controller.wake(("shop", "other"))
    cluster.controller.wake(("elsewhere", "web"))
    assert asyncio.run(cluster.queue.get()) == KEY
    assert len(cluster.queue) == 0
    cluster.queue.done(KEY)
    cluster.ask(status=cluster.status())
    cluster.plan()
    cluster.controller.wake(("shop", "web"))
    assert len(cluster.queue) == 0


def test_what_was_issued_stays_until_its_end_and_then_goes(cluster: Cluster) -> None:
    cluster.ask(status=cluster.status())
    del cluster.reports["i1"]
    plan = cluster.plan()
    assert (plan.actions, plan.status, plan.requeue_after) == ((), None, timedelta(seconds=595))
    cluster.now = CREATED + timedelta(seconds=610)
    assert cluster.plan().requeue_after == timedelta(seconds=20)
    cluster.now = CREATED + timedelta(seconds=630)
    assert cluster.plan().actions == (Delete("AccessRequest", "ann", "r1"),)


def test_what_was_never_answered_says_so_and_goes(cluster: Cluster) -> None:
    cluster.now = CREATED + timedelta(seconds=601)
    assert cluster.ready() == ("False", "Expired", "True")
    assert "certificate" not in cluster.status()
    cluster.now = CREATED + timedelta(seconds=630)
    assert cluster.plan().actions == (Delete("AccessRequest", "ann", "r1"),)


def test_another_pass_writes_the_same_status_but_for_a_certificate_that_it_never_makes_twice(
    cluster: Cluster,
) -> None:
    first = cluster.status()
    cluster.ask(status=first)
    assert cluster.plan().status is None
    del cluster.reports["i1"]
    cluster.ask()
    waiting = cluster.status()
    cluster.ask(status=waiting)
    cluster.now += timedelta(seconds=60)
    assert cluster.status() == waiting


def test_what_cannot_be_read_is_left_alone(cluster: Cluster) -> None:
    cluster.ask(usages=["everything"])
    assert cluster.controller.observe(KEY) is None
