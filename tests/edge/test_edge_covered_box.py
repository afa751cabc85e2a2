"""A whole box under a lock: nothing of a visit can be read on its disk, and a power cut loses nothing."""

import contextlib
import datetime
import shutil
import sqlite3
import ssl
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID
from edge_fakes import NAME, PIN, Box, ecg_block, make_box, open_box
from test_edge_visit import complete, open_visit, recorded

from chevet.edge import covered_rows
from chevet.edge.at_rest import DataKey
from chevet.edge.covered_files import bring_forward, uncovered
from chevet.edge.database import Database
from chevet.edge.errors import Covered, SettingsError, StoreDamaged
from chevet.edge.journal import read_journal
from chevet.edge.spool import Spool
from chevet.edge.store import open_store
from chevet.edge.trust import read_site
from chevet.edge.workers import Worker
from chevet.exchange.sealing import open_manifest, open_sealed
from chevet.exchange.tls import client_context, key_and_certificate, new_tls_key
from chevet.sim.bodies import EcgBody
from chevet.sim.twins.cart import file_of
from chevet.sim.twins.cart_scp import Owner
from chevet.study.bundle import unpack
from chevet.study.study import Patient

KEY = DataKey(bytes(range(32)), "a" * 32)
OTHER = DataKey(bytes(32), "b" * 32)
NUMBER, QUESTION, WORKER = "LOCAL-774411", "Is this her third collapse?", "Yamina Oubella"
WHEN = datetime.datetime(2026, 3, 14, 10, 12, 5)


def whole_visit(box: Box) -> str:
    """One visit with everything that a box keeps, sent; another one is still open."""
    bedside = box.bedside
    bedside.workers.add(Worker("yamina", WORKER), PIN)
    visit = open_visit(box)
    bedside.patients.add(Patient("p2", NAME + " II", 1961, "F", NUMBER))
    complete(box, visit, question=QUESTION)
    row = recorded(box, visit, "ecg", ecg_block(0, 1000))
    bedside.rules.accept(row.id, poor=True, best=None)
    copies = bedside.rules.closing.copies
    copies.pieces(copies.recording(row))
    bedside.rules.send(visit)
    case = bedside.cases.get(visit)
    opinion = box.relay.opinion(case.id)
    bedside.cases.keep_opinion(opinion, verified=True)
    second = bedside.rules.open("p2", "yamina").id
    complete(box, second, question=QUESTION + " And now?")
    row = recorded(box, second)
    copies.pieces(copies.recording(row))
    return visit


def secrets() -> dict[str, bytes]:
    """What must not be seen: text, and eight samples as they stand in a journal."""
    samples = EcgBody(1).take(0, 1000)
    return {
        "name": b"Benyoussef",
        "number": NUMBER.encode(),
        "question": b"third collapse",
        "answer": b"Sinus rhythm",
        "worker": b"Oubella",
        "samples": np.ascontiguousarray(samples[1, 400:408].astype("<i2")).tobytes(),
        "hash of a PIN": b"$argon2id$",
        "private key": b"BEGIN PRIVATE KEY",
        "measurements": b"heart_rate",
    }


def seen(folder: Path) -> set[str]:
    """Names of the secrets that stand in any file of a folder, or in the name of one."""
    texts = [path.read_bytes() for path in folder.rglob("*") if path.is_file()]
    texts.append(" ".join(str(path) for path in folder.rglob("*")).encode())
    return {name for name, secret in secrets().items() if any(secret in text for text in texts)}


def covered_box(folder: Path) -> Box:
    """A box under a lock from its first day on."""
    made = make_box(folder)
    made.close()
    for name in ("edge.db", "spool.db"):
        (folder / "box" / name).unlink()
    bring_forward(folder / "box", KEY)
    return open_box(folder, folder / "programme.json", made.relay, KEY)


@pytest.fixture
def covered(tmp_path: Path) -> Iterator[Box]:
    box = covered_box(tmp_path)
    yield box
    box.close()


def test_nothing_of_a_visit_is_seen_in_any_file_of_a_box_under_a_lock(covered: Box, tmp_path: Path) -> None:
    visit = whole_visit(covered)
    assert not seen(tmp_path / "box"), "while the box works, with its write-ahead log"
    covered.close()
    assert not seen(tmp_path / "box")
    assert not list(uncovered(tmp_path / "box"))
    again = open_box(tmp_path, tmp_path / "programme.json", covered.relay, KEY)
    bedside = again.bedside
    case = bedside.cases.get(visit)
    assert (case.words.patient_name, case.state) == (NAME, "answered")
    assert [one.impression for one, _ in bedside.cases.opinions(visit)] == ["Sinus rhythm."]
    assert [one.id for one in bedside.patients.search("benyoussef ii")] == ["p2"]
    assert bedside.workers.check("yamina", PIN).name == WORKER
    assert [worker.name for worker in bedside.workers.all()] == [WORKER]
    current = bedside.visits.current()
    assert current is not None
    assert current.words.question == QUESTION + " And now?"
    (row,) = bedside.visits.captures(current.id)
    assert bedside.captures.recording(row).waveforms[0].values.shape[1] == 1000


def test_the_search_of_these_files_would_find_them(tmp_path: Path) -> None:
    box = make_box(tmp_path)
    whole_visit(box)
    assert seen(tmp_path / "box") == secrets().keys()


def test_a_box_in_the_clear_is_brought_forward_and_leaves_no_trace_in_its_files(tmp_path: Path) -> None:
    box = make_box(tmp_path)
    visit = whole_visit(box)
    box.close()
    folder = tmp_path / "box"
    assert bring_forward(folder, KEY) >= 4, "two keys and two journals at least"
    again = open_box(tmp_path, tmp_path / "programme.json", box.relay, KEY)
    assert not seen(folder), "as soon as the box is at work"
    assert again.bedside.cases.get(visit).words.patient_name == NAME
    (row,) = again.bedside.visits.captures(again.bedside.visits.current().id)
    assert again.bedside.captures.recording(row).waveforms[0].values.shape[1] == 1000
    again.bedside.rules.accept(row.id, poor=True, best=None)
    again.close()
    assert not seen(folder)


CLEAR = {
    "workers": "id",
    "patients": "id used_ms",
    "visits": "id patient worker state created_ms",
    "captures": "id visit step site side device seconds state problem elapsed_s verdict poor best",
    "cases": "id created_ms state percent unread refused",
    "opinions": "id case_id version verified arrived_ms",
    "messages": "id case_id verified arrived_ms",
    "voices": "id case_id arrived_ms",
    "kept": "name value",
    "imports": "id sha256 state reason arrived_ms capture",
    "photos": "id",
    "badges": "id",
    # sealed to this box, or what could not be read
    "transfers": "tid origin manifest state begun_ms",
    "chunks": "tid oid seq data",
    "dead_letters": "number origin reason at_ms payload",
    # of instruments, without a patient
    "stored_readings": "device origin kind value unit status taken offset_s fetched_ms",
    "device_marks": "origin mark",
    "found_devices": "identity choice device words decided_ms",
    "calibrations": "device serial day noted_ms",
    # of invented patients
    "training_attempts": "id worker lesson state started_ms ended_ms points words",
    "covered": "lock scrubbed",
    "migrations": "name",
}
"""Columns that a thief may read, each for a reason; what is said about a person is never one of them."""


def test_every_column_of_the_store_is_covered_or_clear_for_a_reason(tmp_path: Path) -> None:
    with contextlib.closing(open_store(tmp_path / "edge.db")) as store:
        tables = [row["name"] for row in store.rows("SELECT name FROM sqlite_master WHERE type = 'table'")]
        found = {
            (table, row["name"]) for table in tables for row in store.rows(f"PRAGMA table_info({table})")
        }
    clear = {(table, column) for table, columns in CLEAR.items() for column in columns.split()}
    assert found == clear | set(covered_rows.COLUMNS)
    assert not clear & set(covered_rows.COLUMNS)


class CutError(Exception):
    """The power went."""


def test_a_cut_at_any_step_of_bringing_forward_loses_nothing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    box = make_box(tmp_path)
    visit = whole_visit(box)
    box.close()
    steps = 0

    def until(last: int) -> None:
        """Bring forward, but end before the durable step after `last` of them."""
        left = [last]

        def counted(step):
            def doing(*words, **more):
                if not left[0]:
                    raise CutError
                left[0] -= 1
                return step(*words, **more)

            return doing

        with monkeypatch.context() as patch:
            patch.setattr(Path, "replace", counted(Path.replace))
            patch.setattr(Path, "unlink", counted(Path.unlink))
            patch.setattr(covered_rows, "_cover_column", counted(covered_rows._cover_column))
            patch.setattr(Database, "scrub", counted(Database.scrub))
            bring_forward(tmp_path / "box", KEY)
            open_store(tmp_path / "box" / "edge.db", KEY).close()

    shutil.copytree(tmp_path / "box", tmp_path / "kept")
    while True:
        shutil.rmtree(tmp_path / "box")
        shutil.copytree(tmp_path / "kept", tmp_path / "box")
        try:
            until(steps)
        except CutError:
            steps += 1
        else:
            break
        bring_forward(tmp_path / "box", KEY)
        again = open_box(tmp_path, tmp_path / "programme.json", box.relay, KEY)
        assert again.bedside.cases.get(visit).words.patient_name == NAME
        journals = list((tmp_path / "box" / "journals").glob("*.journal"))
        assert len(journals) == 2
        assert all(read_journal(path, KEY).events for path in journals)
        again.close()
        assert not seen(tmp_path / "box"), steps
    assert steps >= 12


def kept(folder: Path) -> dict[str, object]:
    """Every file's bytes, and the rows of the database (its header counts openings)."""
    found: dict[str, object] = {
        path.name: path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file() and "edge.db" not in path.name
    }
    with contextlib.closing(sqlite3.connect(folder / "edge.db")) as database:
        found["rows"] = list(database.iterdump())
    return found


def test_a_wrong_key_or_none_is_a_clear_error_and_touches_nothing(covered: Box, tmp_path: Path) -> None:
    whole_visit(covered)
    covered.close()
    before = kept(tmp_path / "box")
    with pytest.raises(Covered, match=r"another key.*restore lock\.json"):
        open_box(tmp_path, tmp_path / "programme.json", covered.relay, OTHER)
    with pytest.raises(Covered, match=r"no lock\.json beside it.*restore lock\.json"):
        open_box(tmp_path, tmp_path / "programme.json", covered.relay)
    with pytest.raises(SettingsError, match="cannot be used"):
        read_site(tmp_path / "box", OTHER)
    with pytest.raises(SettingsError, match="cannot be used"):
        read_site(tmp_path / "box")
    assert bring_forward(tmp_path / "box", OTHER) == 0
    assert kept(tmp_path / "box") == before


def test_a_value_that_was_changed_or_moved_to_another_row_does_not_open(tmp_path: Path) -> None:
    with contextlib.closing(open_store(tmp_path / "edge.db", KEY)) as store:
        for table, column in covered_rows.COLUMNS:
            place, other = (covered_rows.place(table, column, name) for name in ("one", "two"))
            value = store.hide("words", place)
            assert store.show(value, place) == "words"
            for wrong, where in ((value, other), (value[:-6] + "AAAAA=", place), ("words", place)):
                with pytest.raises(StoreDamaged, match="was altered"):
                    store.show(wrong, where)
            with pytest.raises(StoreDamaged, match="was altered"):
                store.show_bytes(store.hide_bytes(b"words", place), other)


def test_what_was_sent_stays_deliverable_without_any_key_of_the_box(covered: Box, tmp_path: Path) -> None:
    visit = whole_visit(covered)
    public = covered.bedside.site.signer.public_key()
    covered.close()
    spool = Spool(tmp_path / "box" / "spool.db", lambda: 0)
    (one,), (sealed,) = spool.waiting(), spool.pending()
    manifest = open_manifest(sealed, public)
    objects = {item.oid: spool.read(one.tid, item.oid, 0, item.size) for item in manifest.objects}
    study = unpack(open_sealed(manifest, objects, covered.relay.opener))
    assert (study.id, study.question) == (visit, QUESTION)
    spool.close()


def test_a_file_of_the_cart_is_covered_and_comes_back(covered: Box, tmp_path: Path) -> None:
    imports = covered.bedside.cart.imports
    data = file_of("scp", 1, WHEN, Owner("Alaouimdaghri", "Zineb"))
    import_id = imports.put(data, "0" * 64)
    assert imports.waiting()[0].named.name
    assert imports.read(import_id).seconds > 1
    for path in (tmp_path / "box").rglob("*"):
        assert not path.is_file() or b"Alaouimdaghri" not in path.read_bytes()
    assert b"Alaouimdaghri" in data


def test_the_search_finds_names_and_numbers_without_accents_the_latest_first(covered: Box) -> None:
    patients = covered.bedside.patients
    for number, name in enumerate(("Émilie Ait", "Rachid", "emilie Zahra")):
        patients.add(Patient(f"p{number}", name, None, "", f"B-{number}_%"))
    patients.touch("p0")
    assert {one.id for one in patients.search("EMILIE")} == {"p0", "p2"}
    assert [one.id for one in patients.search("b-1_%")] == ["p1"]
    assert patients.search("%") != []
    assert patients.search("x_y") == []
    assert len(patients.search("")) == 3
    assert patients.get("p1") == Patient("p1", "Rachid", None, "", "B-1_%")


def self_signed() -> tuple[ec.EllipticCurvePrivateKey, str]:
    """A key and its own certificate: enough to make a TLS context of."""
    key = new_tls_key()
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "anfgou")])
    begins = datetime.datetime(2026, 1, 1, tzinfo=datetime.UTC)
    made = x509.CertificateBuilder(
        name, name, key.public_key(), 7, begins, begins + datetime.timedelta(days=9)
    )
    return key, made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM).decode()


def test_the_key_shown_to_the_broker_is_covered_too_and_never_asked_for_at_a_terminal(tmp_path: Path) -> None:
    key, certificate = self_signed()
    authority, own = tmp_path / "ca.crt", tmp_path / "keys" / "tls.pem"
    authority.write_text(certificate)
    own.parent.mkdir()
    own.write_bytes(key_and_certificate(key, certificate))
    assert client_context(authority, own).minimum_version == ssl.TLSVersion.TLSv1_3
    assert bring_forward(tmp_path, KEY) == 1
    assert own.stat().st_mode & 0o777 == 0o600
    for covered in (own.read_bytes(), key_and_certificate(key, certificate, KEY.password)):
        assert b"BEGIN ENCRYPTED PRIVATE KEY" in covered
        assert certificate.encode() in covered
        own.write_bytes(covered)
        assert client_context(authority, own, password=KEY.password).verify_mode == ssl.CERT_REQUIRED
        for wrong in (None, OTHER.password):
            with pytest.raises(ssl.SSLError):
                client_context(authority, own, password=wrong)
