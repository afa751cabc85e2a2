"""The archive with its objects in a bucket: the very tests that hold it on files; `make stores` runs them."""

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from chevet.relay.archive import object_bucket
from chevet.relay.relay import open_relay
from chevet.relay.settings import Settings

from . import (
    test_accounts_and_audit,
    test_accounts_erasure,
    test_desk_cases,
    test_ingest,
    test_operations,
    test_rotation_and_recovery,
)
from .conftest import CHEAP, Clock, Recipient, Site, World
from .s3_here import WHY_NOT, S3Server, is_here

SAME = (
    test_accounts_and_audit,
    test_accounts_erasure,
    test_desk_cases,
    test_ingest,
    test_operations,
    test_rotation_and_recovery,
)
OF_FILES = {
    "test_a_damaged_object_file_is_noticed_when_it_is_read",
    "test_a_full_disk_acknowledges_nothing_and_goes_on_later",
    "test_an_object_that_is_lost_stops_a_backup_rather_than_leave_it_out",
    "test_a_backup_restores_cases_answers_and_the_audit",
    "test_a_later_backup_copies_what_is_new_and_forgets_what_was_destroyed",
    "test_a_damaged_backup_is_told_apart_by_object_and_by_database",
    "test_the_commands_back_up_and_restore",
    "test_the_recovery_key_alone_opens_what_the_box_sent",
    "test_a_full_disk_is_507_and_the_api_stays_up",
}
"""What looks into the folder, or restores beside it; test_object_stores.py has the like for a bucket."""

pytestmark = pytest.mark.skipif(
    not os.environ.get("CHEVET_STORES"),
    reason="the same tests on a second store take two minutes: make stores",
)

for module in SAME:
    for name, one in vars(module).items():
        if name.startswith("test_") and callable(one) and name not in OF_FILES:
            globals()[f"{name}_on_s3"] = one
        elif type(one).__name__ == "FixtureFunctionDefinition":
            globals().setdefault(name, one)


@pytest.fixture(scope="session")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    if not is_here():
        pytest.skip(WHY_NOT)
    with S3Server(tmp_path_factory.mktemp("s3")) as found:
        yield found


@pytest.fixture
def world(
    programme: Path, tmp_path: Path, server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> Iterator[World]:
    """The world of all tests of the relay, with its objects in a bucket of its own."""
    monkeypatch.setattr(object_bucket, "open_client", lambda _bucket: server.client)
    clock = Clock()
    chosen = server.settings(server.bucket(), tmp_path / "s3.secret")
    settings = Settings(keys=programme / "keys", archive=tmp_path / "archive", **chosen)
    relay = open_relay(settings, now_ms=clock, cost=CHEAP)
    site = Site("abc", [Recipient("programme", relay.keys.programme.public_key())])
    relay.sites.add(site.file())
    found = World(tmp_path, settings, clock, relay, site)
    yield found
    for one in (relay, *found.opened):
        one.close()
    assert not (tmp_path / "archive" / "objects").exists(), "nothing went to files beside the bucket"
