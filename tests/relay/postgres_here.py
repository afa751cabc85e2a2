"""A PostgreSQL cluster of one test run, where the server's programs are installed."""

import os
import pwd
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from sqlalchemy import create_engine

FOLDERS = sorted(Path("/usr/lib/postgresql").glob("*/bin"), reverse=True)
WHY_NOT = "no PostgreSQL here: `apt-get install postgresql` enables the tests of the archive on it"


def programs() -> Path | None:
    """Return the folder of initdb and its kin, the newest version first."""
    found = shutil.which("initdb")
    return Path(found).parent if found else next((one for one in FOLDERS if (one / "initdb").exists()), None)


def _who() -> dict[str, object]:
    """Say as whom the server runs: it refuses to be root."""
    if os.getuid():
        return {}
    user = pwd.getpwnam("nobody")
    return {"user": user.pw_uid, "group": user.pw_gid, "extra_groups": []}


@contextmanager
def cluster(*, durable: bool = False) -> Iterator[str]:
    """Give the address of a running cluster, on a socket of its own, that forgets everything at the end.

    `durable` has it wait for the disk at each commit, as in the field: tests need not, figures must.
    """
    folder = programs()
    assert folder is not None, WHY_NOT
    home = Path(tempfile.mkdtemp(prefix="chevet-pg-", dir="/tmp"))  # a socket's path is short
    who = _who()
    if who:
        os.chown(home, int(str(who["user"])), int(str(who["group"])))
    data = home / "data"

    def run(name: str, *arguments: str) -> None:
        subprocess.run(
            [str(folder / name), *arguments],
            check=True,
            cwd=home,
            stdout=subprocess.DEVNULL,
            timeout=120,
            **who,
        )  # type: ignore[call-overload]

    options = f"-k {home} -c listen_addresses= -c fsync={'on' if durable else 'off'} -c max_connections=200"
    try:
        run("initdb", "-D", str(data), "-U", "chevet", "-A", "trust", "-E", "UTF8", "--locale=C.UTF-8", "-N")
        run("pg_ctl", "-D", str(data), "-w", "-t", "100", "-l", str(home / "log"), "-o", options, "start")
        try:
            yield f"postgresql+psycopg://chevet@/{{name}}?host={home}"
        finally:
            run("pg_ctl", "-D", str(data), "-m", "immediate", "-w", "stop")
    finally:
        shutil.rmtree(home, ignore_errors=True)


def new_database(address: str, name: str, like: str = "template0") -> str:
    """Make a database in a cluster, empty or like another; return its address."""
    engine = create_engine(address.format(name="postgres"), isolation_level="AUTOCOMMIT")
    with engine.connect() as connection:
        connection.exec_driver_sql(f'CREATE DATABASE "{name}" TEMPLATE "{like}"')
    engine.dispose()
    return address.format(name=name)
