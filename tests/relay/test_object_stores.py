"""Both stores of objects keep the same promises; what only one on the network gets wrong is no receipt."""

import hashlib
import socket
from collections.abc import Iterator
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from sqlalchemy import select

from chevet.exchange.events import Reply
from chevet.exchange.messages import Complete, read
from chevet.relay import cli
from chevet.relay.archive import bucket_client, object_bucket
from chevet.relay.archive.bucket_client import of_answer
from chevet.relay.archive.object_bucket import REST_S, ObjectBucket, _Recent
from chevet.relay.archive.objects import ObjectFolder, is_name
from chevet.relay.archive.schema import objects
from chevet.relay.backup import backup, restore
from chevet.relay.commands import doctor
from chevet.relay.commands.run import ask_store
from chevet.relay.erasure import sweep, withdraw
from chevet.relay.errors import ArchiveError, DiskFullError, SettingsError, StoreAwayError
from chevet.relay.moving import move
from chevet.relay.orphans import compare, damaged, delivered, sweep_orphans
from chevet.relay.relay import open_relay
from chevet.relay.settings import Settings, read_settings
from chevet.relay.stores import open_objects
from chevet.study.bundle import pack

from .conftest import OPINION, code, deliver, ecg, messages
from .s3_here import WHY_NOT, S3Server, is_here
from .test_relay_commands import folder  # noqa: F401 - a fixture

ABSENT = "0" * 64


@pytest.fixture(scope="module")
def server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[S3Server]:
    if not is_here():
        pytest.skip(WHY_NOT)
    with S3Server(tmp_path_factory.mktemp("s3")) as found:
        yield found


@pytest.fixture(params=["folder", "s3"])
def store(request, tmp_path):
    """Each kind of store, empty, with `again()` for another process's view and `spoil(name, data)`."""
    if request.param == "folder":
        found = ObjectFolder(tmp_path / "objects")
        found.again = lambda: ObjectFolder(found.folder)
        found.spoil = lambda name, data: (found.folder / name[:2] / name).write_bytes(data)
        return found
    server = request.getfixturevalue("server")
    bucket = server.bucket()
    found = ObjectBucket(bucket, client=server.client)
    found.again = lambda: ObjectBucket(bucket, client=server.client)
    found.spoil = lambda name, data: (server.folder / bucket.name / found._key(name)).write_bytes(data)
    return found


def test_what_was_put_is_there_for_everybody_under_its_hash(store):
    name = store.put(b"ciphertext")
    assert name == hashlib.sha256(b"ciphertext").hexdigest()
    assert store.again().get(name) == b"ciphertext"
    assert store.put(b"ciphertext") == name, "written once, by whoever comes first"
    assert [(one.name, one.bytes) for one in store.again().every()] == [(name, 10)]
    assert store.put(b"") == hashlib.sha256(b"").hexdigest()
    assert store.again().get(hashlib.sha256(b"").hexdigest()) == b""


def test_what_is_missing_or_changed_is_an_error_that_names_the_backup(store):
    name = store.put(b"ciphertext")
    assert store.has(name)
    assert not store.has(ABSENT)
    with pytest.raises(ArchiveError, match=r"missing .* restore"):
        store.get(ABSENT)
    store.spoil(name, b"ciphertex!")
    with pytest.raises(ArchiveError, match=r"damaged: restore"):
        store.again().get(name)


def test_what_was_destroyed_is_gone_and_may_be_destroyed_again(store):
    name, other = store.put(b"ciphertext"), store.put(b"other")
    store.destroy(name)
    store.destroy(name)
    store.destroy(ABSENT)
    assert not store.has(name)
    with pytest.raises(ArchiveError):
        store.get(name)
    assert [one.name for one in store.every()] == [other]


def test_the_list_is_in_order_with_ages_and_without_strangers(store):
    names = sorted(store.put(bytes([number])) for number in range(12))
    store.spoil(names[0][:2] + ".draft", b"left by a cut")
    found = list(store.every())
    assert [one.name for one in found] == names
    assert all(-60 < one.age_s < 3600 for one in found)
    store.ready()


@given(st.text(max_size=70))
def test_only_a_hash_is_a_name(text):
    assert is_name(hashlib.sha256(text.encode()).hexdigest())
    assert not is_name(text) or len(text) == 64


class Faulty:
    """A real client whose store loses or changes what it takes, or does not answer."""

    def __init__(self, real: object) -> None:
        self.real, self.fault, self.calls = real, "", 0

    def __getattr__(self, what: str) -> object:
        def call(**arguments: object) -> object:
            self.calls += 1
            if self.fault == "loses" and what == "put_object":
                return {}
            if self.fault == "changes" and what == "put_object":
                arguments = {**arguments, "Body": b"x" * int(str(arguments["ContentLength"]))}
            if self.fault == "pages" and what == "list_objects_v2":
                arguments = {**arguments, "MaxKeys": 2}
            if self.fault == "versions" and what == "get_bucket_versioning":
                return {"Status": "Suspended"}
            if self.fault == "away":
                from botocore.exceptions import EndpointConnectionError

                raise EndpointConnectionError(endpoint_url="http://nowhere")
            return getattr(self.real, what)(**arguments)

        return call


@pytest.fixture
def faulty(server):
    bucket = server.bucket()
    client = Faulty(server.client)
    found = ObjectBucket(bucket, client=client, clock=lambda: found.now)
    found.now = 0.0
    return found, client


@pytest.mark.parametrize(("fault", "why"), [("loses", "does not have object"), ("changes", "changed object")])
def test_a_store_that_does_not_keep_what_it_was_given_is_found_out_at_once(faulty, fault, why):
    store, client = faulty
    client.fault = fault
    with pytest.raises(ArchiveError, match=why):
        store.put(b"ciphertext")
    client.fault = ""
    assert store.get(store.put(b"ciphertext")) == b"ciphertext", "and mended by the next that works"


def test_a_long_list_comes_in_pages_and_whole(faulty):
    store, client = faulty
    names = sorted(store.put(bytes([number])) for number in range(5))
    client.fault, client.calls = "pages", 0
    assert [one.name for one in store.every()] == names
    assert client.calls == 3


def test_so_many_bytes_are_remembered_and_what_was_destroyed_is_not(server):
    store = ObjectBucket(server.bucket(), client=server.client)
    recent = store._recent = _Recent(10)
    names = [store.put(bytes([number]) * 4) for number in range(3)]
    assert [recent.get(name) is not None for name in names] == [False, True, True]
    recent.keep(names[1], b"\1" * 4)
    store.destroy(names[1])
    assert recent.get(names[1]) is None
    assert store.get(names[0]) == bytes(4), "asked of the store again"
    assert recent.get(names[0]) == bytes(4)


def test_no_key_at_all_and_a_region_that_is_none_are_told_apart(server, monkeypatch):
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", "/dev/null")
    with pytest.raises(SettingsError, match=r"NoCredentialsError.*check s3_key_id"):
        ObjectBucket(replace(server.bucket(), key_id="", secret="")).ready()
    with pytest.raises(SettingsError, match="s3_region"):
        ObjectBucket(replace(server.bucket(), region="no region"))


def test_a_bucket_that_keeps_versions_is_refused_before_the_first_byte(faulty):
    store, client = faulty
    client.fault = "versions"
    with pytest.raises(SettingsError, match="erased would stay"):
        store.put(b"ciphertext")
    assert list(store.every()) == []


def test_a_store_that_does_not_answer_is_not_waited_for_again_at_once(faulty):
    store, client = faulty
    store.put(b"first")
    client.fault = "away"
    with pytest.raises(StoreAwayError, match="nobody listens"):
        store.put(b"second")
    assert not store.there
    calls = client.calls
    with pytest.raises(StoreAwayError, match="a moment ago"):
        store.has(ABSENT)
    assert client.calls == calls
    client.fault, store.now = "", REST_S
    assert store.put(b"second")
    assert store.there


def test_a_store_that_accepts_and_never_answers_ends_in_time(server, monkeypatch):
    monkeypatch.setattr(bucket_client, "READ_S", 0.2)
    monkeypatch.setattr(bucket_client, "ATTEMPTS", 1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        address = f"http://127.0.0.1:{silent.getsockname()[1]}"
        store = ObjectBucket(replace(server.bucket(), endpoint=address))
        with pytest.raises(StoreAwayError, match="no answer in time"):
            store.ready()


@pytest.mark.parametrize(
    ("changes", "sentence"),
    [
        ({"name": "nobodys-bucket"}, "There is no bucket s3://nobodys-bucket"),
        ({"region": "eu-west-3", "policy": ""}, "is in 'ma-rabat-1', and s3_region says 'eu-west-3'"),
        ({"policy": "eu-west-3"}, "must stay in 'eu-west-3'"),
    ],
)
def test_a_bucket_that_is_not_the_one_meant_is_refused_and_takes_nothing(server, changes, sentence):
    bucket = server.bucket()
    store = ObjectBucket(replace(bucket, **changes), client=server.client)
    for act in (store.ready, lambda: store.put(b"ciphertext")):
        with pytest.raises(SettingsError, match=sentence):
            act()
    assert list(ObjectBucket(bucket, client=server.client).every()) == []


@pytest.mark.parametrize("changes", [{"secret": "wrong"}, {"key_id": "stranger"}])
def test_a_key_that_is_refused_is_told_with_its_remedy(server, changes):
    with pytest.raises(SettingsError, match=r"refuses our key .* check s3_key_id"):
        ObjectBucket(replace(server.bucket(), **changes)).ready()


@pytest.mark.parametrize(
    ("code", "status", "kind", "sentence"),
    [
        ("RequestTimeTooSkewed", 403, ArchiveError, "clocks"),
        ("QuotaExceeded", 403, DiskFullError, "full"),
        ("SlowDown", 503, StoreAwayError, "does not answer"),
        ("", 502, StoreAwayError, "does not answer"),
        ("PermanentRedirect", 301, SettingsError, "another region"),
        ("EntityTooLarge", 400, ArchiveError, "EntityTooLarge"),
        ("", 403, SettingsError, "refuses our key"),
    ],
)
def test_every_answer_of_a_store_has_our_words(server, code, status, kind, sentence):
    said = {"Error": {"Code": code}, "ResponseMetadata": {"HTTPStatusCode": status}}
    found = of_answer(server.bucket(make=False), said)
    assert type(found) is kind
    assert sentence in str(found)


def test_settings_refuse_another_region_half_a_key_and_a_road_without_tls(tmp_path, monkeypatch):
    with pytest.raises(ValueError, match="must stay in 'ma'"):
        Settings(objects="s3://b", s3_region="eu", region="ma")
    with pytest.raises(ValueError, match="https"):
        Settings(objects="s3://b", s3_endpoint="http://s3.example")
    for wrong in ("b", "s3://", "s3:///x", "s3://b/é"):
        with pytest.raises(ValueError, match=r"s3://bucket|letters"):
            Settings(objects=wrong)
    with pytest.raises(SettingsError, match="two halves"):
        open_objects(Settings(objects="s3://b", s3_key_id="one", s3_region="ma", region="ma"))
    monkeypatch.setitem(__import__("sys").modules, "boto3", None)
    with pytest.raises(SettingsError, match=r"chevet\[s3\]"):
        open_objects(Settings(objects="s3://b"))


@pytest.fixture
def on_s3(world, server, tmp_path, monkeypatch):
    """The world's relay opened again with its objects in a bucket, and the bucket."""
    monkeypatch.setattr(object_bucket, "open_client", lambda _bucket: server.client)
    bucket = server.bucket()
    relay = world.again(**server.settings(bucket, tmp_path / "s3.secret"))
    return relay, bucket


def receipted(answers):
    return any(isinstance(one, Reply) and isinstance(read(one.payload), Complete) for one in answers)


def names_of(relay):
    return {one.name for one in relay.objects.every()}


def test_a_study_arrives_while_the_store_is_killed_and_started_again(world, on_s3, server, make_study):
    relay, _ = on_s3
    relay.objects._clock = lambda: relay.now_ms() / 1000
    study, doctor = make_study(recordings=(ecg(1),)), world.user()
    sealed = world.site.seal(pack(study))
    everything = messages(sealed)
    receiver = world.receiver(relay)
    deliver(receiver, everything[:3])
    server.stop()
    lost = 0
    for payload in everything[3:]:
        try:
            assert not receipted(deliver(receiver, [payload]))
        except StoreAwayError:
            lost += 1
    assert lost > 0, "what could not be stored is said to nobody"
    server.start()
    world.clock.ms += 60_000
    assert receipted(deliver(receiver, everything)), "senders repeat"
    assert relay.cases.open(study.id, doctor).study.question == study.question
    server.stop()
    server.start()  # a second cut: what was receipted is on the server's disk
    world.clock.ms += 60_000
    fresh = world.again(**{name: getattr(relay.settings, name) for name in CHOSEN})
    assert fresh.cases.open(study.id, doctor).complete_ms is not None
    assert names_of(fresh) == names_of(relay)


CHOSEN = ("objects", "s3_endpoint", "s3_region", "s3_key_id", "s3_secret_file", "region")


def test_a_cut_between_store_and_row_leaves_no_row_without_an_object(world, store, make_study, monkeypatch):
    relay = world.again()
    relay.inbox._store = relay.vault._objects = store
    everything = messages(world.site.seal(pack(make_study(recordings=()))))

    def cut(*_arguments):
        raise SystemExit("power")

    with monkeypatch.context() as power:
        power.setattr(relay.inbox._admission, "arrived", cut)
        with pytest.raises(SystemExit):
            deliver(world.receiver(relay), everything)
    left = {one.name for one in store.every()}
    with relay.database.read() as view:
        assert view.execute(select(objects.c.name).where(objects.c.name.is_not(None))).all() == []
    assert len(left) == 1, "stored before any row says so"
    assert receipted(deliver(world.receiver(relay), everything))
    with relay.database.read() as view:
        named = set(view.execute(select(objects.c.name)).scalars())
    assert left <= named == {one.name for one in store.again().every()}


def test_a_backup_from_a_bucket_restores_into_another_and_an_erasure_empties_it(
    world, on_s3, server, make_study, tmp_path
):
    relay, _ = on_s3
    study = make_study(recordings=())
    deliver(world.receiver(relay), messages(world.site.seal(pack(study))))
    held = names_of(relay)
    sheet = backup(relay, tmp_path / "backup", lambda _: None)
    assert sheet.objects == len(held) > 0
    second = server.settings(server.bucket(), tmp_path / "s3.secret")
    settings = relay.settings.model_copy(update={**second, "archive": tmp_path / "again"})
    found = restore(settings, tmp_path / "backup", lambda _: None)
    assert (found.objects, found.missing, found.audit_broken_at) == (len(held), (), 0)
    assert {one.name for one in open_objects(settings).every()} == held
    withdraw(relay, study.id, ("care",), "operator")
    world.clock.ms += 31 * 24 * 3600 * 1000
    assert len(sweep(relay)) == 1
    assert names_of(relay) == set()


def test_what_nobody_names_is_swept_once_it_is_old_and_what_is_lost_is_named(world, on_s3, make_study):
    relay, _ = on_s3
    deliver(world.receiver(relay), messages(world.site.seal(pack(make_study(recordings=())))))
    held = names_of(relay)
    orphan = relay.objects.put(b"left by a cut between store and archive")
    assert [one.name for one in compare(relay).orphans] == [orphan]
    assert sweep_orphans(relay) == 0, "it may be somebody's work under way"
    assert sweep_orphans(relay, old_s=-3600) == 1
    assert names_of(relay) == held
    with relay.database.read() as view:
        assert relay.audit.verify(view) is None
    assert (compare(relay).named, compare(relay).missing, damaged(relay)) == (len(held), (), [])
    lost = min(held)
    relay.objects.destroy(lost)
    assert compare(relay).missing == (lost,)
    assert damaged(relay) == [lost]
    assert [sha256 for _, sha256 in delivered(relay)] == ["damaged"], "its bytes are not what the site signed"


def test_the_commands_check_and_sweep_and_the_doctor_counts(folder, capsys):  # noqa: F811
    config = str(folder / "relay.toml")
    assert cli.main(["objects", "check", "--read", "--config", config]) == 0
    assert "0 of 0 objects are in" in capsys.readouterr().out
    relay = open_relay(read_settings(folder / "relay.toml"))
    name = relay.objects.put(b"left by a cut")
    relay.close()
    assert cli.main(["objects", "check", "--config", config]) == 0
    assert "1 objects that no case names" in capsys.readouterr().out
    assert cli.main(["objects", "list", "--config", config]) == 0
    assert capsys.readouterr().out == ""
    assert cli.main(["objects", "sweep", "--config", config]) == 0
    assert "0 objects removed" in capsys.readouterr().out
    assert (folder / "archive" / "objects" / name[:2] / name).exists()
    found = doctor.CHECKS["objects"](read_settings(folder / "relay.toml"))
    assert found.endswith("all 0 there, 1 that no case names")
    assert doctor.CHECKS["alerts"](read_settings(folder / "relay.toml")).startswith("none")


def test_a_relay_does_not_start_on_a_wrong_bucket_and_waits_for_one_that_is_away(world, faulty):
    store, client = faulty
    client.fault = "versions"
    with pytest.raises(SettingsError, match="erased would stay"):
        ask_store(replace(world.relay, objects=store))
    client.fault = "away"
    assert ask_store(replace(world.relay, objects=store)) is None


async def test_the_desk_says_that_the_store_is_away_and_signs_nothing(world, faulty, sent, client):
    study, doctor = sent(recordings=()), world.user()
    store, fault = faulty
    store.ready()
    fault.fault = "away"
    relay = world.again()
    relay.answers._store = store
    async with client(doctor, relay) as desk:
        await desk.post(f"/api/cases/{study.id}/claim")
        answer = await desk.post(f"/api/cases/{study.id}/opinions", json=OPINION)
        assert code(answer) == (503, "store_away")
    assert relay.answers.conversation(study.id).opinions == ()


def test_objects_move_into_a_bucket_while_the_database_stays(world, server, sent, tmp_path):
    study, doctor = sent(recordings=()), world.user()
    to = world.settings.model_copy(update=server.settings(server.bucket(), tmp_path / "s3.secret"))
    done = move(world.settings, to, lambda _: None, now_ms=world.clock)
    held = names_of(world.relay)
    assert (done.rows, done.objects, done.missing) == ({}, len(held), ())
    relay = world.again(**{name: getattr(to, name) for name in CHOSEN})
    assert names_of(relay) == held
    assert relay.cases.open(study.id, doctor).study.patient == study.patient
