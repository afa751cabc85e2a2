"""What the box knows: workers, patients, visits, captures, cases, opinions, messages, voices."""

from pathlib import Path

from chevet.edge.at_rest import DataKey
from chevet.edge.covered_rows import agree
from chevet.edge.database import Database, Migration

MIGRATIONS: tuple[Migration, ...] = (
    (
        "0001 workers, patients, visits, captures, cases",
        """
        CREATE TABLE workers (id TEXT PRIMARY KEY, name TEXT NOT NULL, pin TEXT NOT NULL) STRICT;
        CREATE TABLE patients (
            id TEXT PRIMARY KEY, name TEXT NOT NULL, folded TEXT NOT NULL, birth_year INTEGER,
            sex TEXT NOT NULL, local_number TEXT NOT NULL, used_ms INTEGER NOT NULL
        ) STRICT;
        CREATE INDEX patients_by_use ON patients (used_ms DESC);
        CREATE TABLE visits (
            id TEXT PRIMARY KEY, patient TEXT NOT NULL REFERENCES patients (id), worker TEXT NOT NULL,
            state TEXT NOT NULL, created_ms INTEGER NOT NULL, words TEXT NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX one_open_visit ON visits (state) WHERE state IN ('draft', 'closing');
        CREATE TABLE captures (
            id TEXT PRIMARY KEY, visit TEXT NOT NULL REFERENCES visits (id), step TEXT NOT NULL,
            site TEXT NOT NULL, side TEXT NOT NULL, device TEXT NOT NULL, seconds REAL NOT NULL,
            state TEXT NOT NULL, problem TEXT NOT NULL, elapsed_s REAL NOT NULL, verdict TEXT NOT NULL,
            poor INTEGER NOT NULL, best INTEGER, recording TEXT
        ) STRICT;
        CREATE INDEX captures_by_visit ON captures (visit);
        CREATE TABLE cases (
            id TEXT PRIMARY KEY, created_ms INTEGER NOT NULL, state TEXT NOT NULL, percent INTEGER NOT NULL,
            words TEXT NOT NULL, unread INTEGER NOT NULL, refused TEXT NOT NULL
        ) STRICT;
        CREATE TABLE opinions (
            id TEXT PRIMARY KEY, case_id TEXT NOT NULL, version INTEGER NOT NULL, verified INTEGER NOT NULL,
            arrived_ms INTEGER NOT NULL, packed BLOB NOT NULL
        ) STRICT;
        CREATE TABLE messages (
            id TEXT PRIMARY KEY, case_id TEXT NOT NULL, verified INTEGER NOT NULL,
            arrived_ms INTEGER NOT NULL, packed BLOB NOT NULL
        ) STRICT
        """,
    ),
    (
        "0002 what arrives from the relay",
        """
        CREATE TABLE transfers (
            tid BLOB PRIMARY KEY, origin TEXT NOT NULL, manifest BLOB NOT NULL, state TEXT NOT NULL,
            begun_ms INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE chunks (
            tid BLOB NOT NULL, oid INTEGER NOT NULL, seq INTEGER NOT NULL, data BLOB NOT NULL,
            PRIMARY KEY (tid, oid, seq)
        ) STRICT;
        CREATE TABLE dead_letters (
            number INTEGER PRIMARY KEY, origin TEXT NOT NULL, reason TEXT NOT NULL, at_ms INTEGER NOT NULL,
            payload BLOB NOT NULL
        ) STRICT
        """,
    ),
    (
        "0003 what instruments had stored",
        """
        CREATE TABLE stored_readings (
            device TEXT NOT NULL, origin TEXT NOT NULL, kind TEXT NOT NULL, value REAL, unit TEXT NOT NULL,
            status TEXT NOT NULL, taken TEXT NOT NULL, offset_s REAL, fetched_ms INTEGER NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX stored_once ON stored_readings (origin, kind, status, ifnull(value, -1));
        CREATE TABLE device_marks (origin TEXT PRIMARY KEY, mark TEXT NOT NULL) STRICT
        """,
    ),
    (
        "0004 which instruments were found, and calibrations",
        """
        CREATE TABLE found_devices (
            identity TEXT PRIMARY KEY, choice TEXT NOT NULL, device TEXT NOT NULL, words TEXT NOT NULL,
            decided_ms INTEGER NOT NULL
        ) STRICT;
        CREATE TABLE calibrations (
            device TEXT NOT NULL, serial TEXT NOT NULL, day TEXT NOT NULL, noted_ms INTEGER NOT NULL,
            PRIMARY KEY (device, serial)
        ) STRICT
        """,
    ),
    (
        "0005 ECG files from a cart",
        """
        CREATE TABLE imports (
            id TEXT PRIMARY KEY, sha256 TEXT NOT NULL UNIQUE, state TEXT NOT NULL, reason TEXT NOT NULL,
            arrived_ms INTEGER NOT NULL, capture TEXT NOT NULL, words TEXT NOT NULL
        ) STRICT
        """,
    ),
    (
        "0006 lessons of the training course",
        """
        CREATE TABLE training_attempts (
            id TEXT PRIMARY KEY, worker TEXT NOT NULL, lesson TEXT NOT NULL, state TEXT NOT NULL,
            started_ms INTEGER NOT NULL, ended_ms INTEGER, points INTEGER, words TEXT NOT NULL
        ) STRICT;
        CREATE UNIQUE INDEX one_open_training ON training_attempts (state) WHERE state = 'open';
        CREATE INDEX training_by_worker ON training_attempts (worker)
        """,
    ),
    (
        "0007 people as words, and the key that rows are covered with",
        """
        ALTER TABLE patients ADD COLUMN words TEXT NOT NULL DEFAULT '';
        UPDATE patients SET words = json_array(name, birth_year, sex, local_number);
        ALTER TABLE patients DROP COLUMN name;
        ALTER TABLE patients DROP COLUMN folded;
        ALTER TABLE patients DROP COLUMN birth_year;
        ALTER TABLE patients DROP COLUMN sex;
        ALTER TABLE patients DROP COLUMN local_number;
        CREATE TABLE covered (lock TEXT NOT NULL, scrubbed INTEGER NOT NULL) STRICT
        """,
    ),
    (
        "0008 badges of workers, photographs of patients",
        """
        CREATE TABLE badges (id TEXT PRIMARY KEY, hash TEXT NOT NULL) STRICT;
        CREATE TABLE photos (id TEXT PRIMARY KEY, jpeg BLOB NOT NULL) STRICT
        """,
    ),
    (
        "0009 voice notes of the conversation",
        """
        CREATE TABLE voices (
            id TEXT PRIMARY KEY, case_id TEXT NOT NULL, arrived_ms INTEGER NOT NULL, ogg BLOB NOT NULL
        ) STRICT
        """,
    ),
    (
        "0010 what the box remembers of itself",
        """
        CREATE TABLE kept (name TEXT PRIMARY KEY, value TEXT NOT NULL) STRICT
        """,
    ),
)


def open_store(path: Path, key: DataKey | None = None) -> Database:
    """Open the box's database, checked and up to date; with a key, cover what lies in the clear.

    Raises:
        StoreDamaged: it fails its integrity check.
        Covered: it is covered with a key, and this is not the one.
        DiskFull: no room to bring it up to date.
    """
    database = Database(path, MIGRATIONS, key)
    try:
        agree(database, key)
    except BaseException:
        database.close()
        raise
    return database


def open_uncovered(path: Path) -> Database:
    """Open the box's database for what is never covered: ids, states, times, instruments.

    Raises:
        StoreDamaged, DiskFull: as `open_store`.
    """
    return Database(path, MIGRATIONS)
