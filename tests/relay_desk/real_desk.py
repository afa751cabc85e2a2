"""The real relay with its desk for browser tests: invented cases of three sites, people of three roles."""

import socket
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import uvicorn
from relay.conftest import CHEAP, PASSWORD, Site, deliver, ear, ecg, messages

from chevet.exchange.receiver import Receiver
from chevet.exchange.sealing import Recipient
from chevet.relay.accounts.users import User
from chevet.relay.api.app import create_app
from chevet.relay.archive import duty
from chevet.relay.keys import make_programme
from chevet.relay.relay import Relay, open_relay, unix_ms
from chevet.relay.settings import Settings
from chevet.study.bundle import pack
from chevet.study.ids import uuid7
from chevet.study.recording import QualityMark, Recording
from chevet.study.study import Consent, EdgeClock, Patient, Study, Vital

PEOPLE = (
    ("amrani", "Dr K. Amrani", "specialist", "cardiology", ("fr", "ar")),
    ("benali", "Dr S. Benali", "specialist", "cardiology", ("ar", "fr")),
    ("ouazzani", "Dr L. Ouazzani", "specialist", "ent", ("fr",)),
    ("tazi", "Pr H. Tazi", "expert", "cardiology", ("fr",)),
    ("tahiri", "N. Tahiri", "coordinator", "", ("fr", "ar")),
    ("idrissi", "M. Idrissi", "auditor", "", ("fr",)),
    ("ziani", "F. Ziani", "site-admin", "", ("fr", "ar")),
)
CASES = (
    ("anfgou", "chest_pain", "cardiology", "emergency", 4, "ar"),
    ("anfgou", "palpitations", "cardiology", "urgent", 150, "fr"),
    ("talsin", "ear_pain", "ent", "routine", 400, "zgh"),
    ("tilmi", "breathlessness", "cardiology", "routine", 2100, "ar"),
)
NAMES = ("Aïcha Bouzid", "Moha Ou Said", "Itto Zaid", "Brahim Haddou")
MINUTE = 60_000


@dataclass
class RealDesk:
    """A served relay; the clock goes as it does, `earlier` shifts it while cases are put in."""

    relay: Relay
    url: str
    studies: list[Study]

    def token(self, user: str) -> str:
        """Sign a person in; a demo relay asks for no second factor."""
        return self.relay.sign_in.sign_in(user, PASSWORD).token


class Shifted:
    """Now, less some minutes."""

    def __init__(self) -> None:
        self.minutes = 0

    def __call__(self) -> int:
        return unix_ms() - self.minutes * MINUTE


def study_of(
    number: int, clock: Callable[[], int], heart_of: Callable[..., Recording] = ecg, **words: Any
) -> Study:
    """One invented visit."""
    now = clock()
    patient = Patient(
        uuid7(now, bytes([number]) * 10), NAMES[number], 1960 + 9 * number, "FMFM"[number], f"R-{70 + number}"
    )
    good = QualityMark(0.93, True)
    heart = heart_of(quality=good if number != 3 else QualityMark(0.3, False, ("lead_off:V2",)))
    recordings = (ear(),) if words["specialty"] == "ent" else (heart, ear())
    vitals = (
        Vital("spo2", 96.0, "%", "nonin-df2", now, good),
        Vital("heart_rate", 84.0, "/min", "kit-ecg", now, good),
    )
    return Study(
        id=uuid7(now, bytes([number + 100]) * 10),
        worker="amina",
        patient=patient,
        consent=Consent(("care", "teaching"), now, ""),
        question="Douleur depuis ce matin : que faire ?",
        closed=EdgeClock(now, "boot", 12.5, "synchronised"),
        recordings=recordings,
        vitals=vitals,
        label="HTEST",
        **words,
    )


@contextmanager
def filled(folder: Path, heart_of: Callable[..., Recording] = ecg, **settled: Any) -> Iterator[RealDesk]:
    """Give a relay of its own with its invented cases and people, served nowhere; `settled` are settings."""
    folder.mkdir(parents=True, exist_ok=True)
    make_programme(folder, "SMT Haut Atlas")
    clock = Shifted()
    settings = Settings(
        keys=folder / "keys", archive=folder / "archive", label="HTEST", second_factor="off", **settled
    )
    relay = open_relay(settings, now_ms=clock, cost=CHEAP)
    studies = []
    sites = {
        code: Site(code, [Recipient("programme", relay.keys.programme.public_key())]) for code, *_ in CASES
    }
    for site in sites.values():
        file = site.file().model_copy(update={"name": site.code.capitalize()})
        relay.sites.add(file)
    for ident, name, role, specialty, languages in PEOPLE:
        relay.users.add(User(ident, name, role, specialty, languages, b""), PASSWORD)
    key = {code: site.signer.public_key() for code, site in sites.items()}  # type: ignore[attr-defined]
    receiver = Receiver(relay.inbox, signer=relay.keys.relay, origin_key=key.get)
    for number, (code, reason, specialty, urgency, age, language) in enumerate(CASES):
        clock.minutes = age
        words = {
            "site": code,
            "reason": reason,
            "specialty": specialty,
            "urgency": urgency,
            "language": language,
        }
        study = study_of(number, clock, heart_of, **words)
        deliver(receiver, messages(sites[code].seal(pack(study), "HTEST")), code)
        studies.append(study)
    clock.minutes = 0
    with relay.database.write() as connection:
        duty.put_on_call(connection, "benali", clock() - 60 * MINUTE, clock() + 600 * MINUTE)
    try:
        yield RealDesk(relay, "", studies)
    finally:
        relay.close()


@contextmanager
def real_desk(folder: Path, heart_of: Callable[..., Recording] = ecg, **settled: Any) -> Iterator[RealDesk]:
    """Serve such a relay."""
    with filled(folder, heart_of, **settled) as desk, serving(desk.relay) as url:
        desk.url = url
        yield desk


@contextmanager
def serving(relay: Relay) -> Iterator[str]:
    """Serve an application in a thread of its own."""
    listener = socket.socket()
    listener.bind(("127.0.0.1", 0))
    server = uvicorn.Server(
        uvicorn.Config(
            create_app(relay), log_config=None, lifespan="off", ws="websockets-sansio", timeout_keep_alive=60
        )
    )
    thread = threading.Thread(target=server.run, kwargs={"sockets": [listener]})
    thread.start()
    while not server.started:
        time.sleep(0.01)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        server.should_exit = True
        thread.join()
        listener.close()
