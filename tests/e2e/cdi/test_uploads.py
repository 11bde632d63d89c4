"""Disks that somebody uploads: the Workload says that it waits for that, whatever CDI's progress is."""

from __future__ import annotations

import pytest

from tests.controlplane import build
from tests.e2e.cdi.disk import DiskWorkload

pytestmark = [pytest.mark.simulated, pytest.mark.built(*build.CDI)]


def test_a_disk_that_somebody_has_to_upload_waits_and_is_not_being_filled(web: DiskWorkload) -> None:
    web.boots({"upload": {}}, storageClassName="simulated")

    def waits() -> bool:
        status = web.data_volume()["status"]
        assert (status["phase"], status["progress"]) == ("UploadReady", "N/A"), status
        ready, reason, message = web.condition("Ready")
        assert (ready, reason) == ("False", "DiskWaiting")
        upload = f"virtctl image-upload dv {web.claim} --no-create --image-path=FILE -n {web.namespace}"
        assert upload in message
        return True

    web.eventually(waits, "it says what it waits for")
    assert web.condition("Stalled")[0] == "False"
