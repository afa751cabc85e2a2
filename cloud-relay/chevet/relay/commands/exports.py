"""`chevet-relay export`: cases as files for other software."""

import argparse
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from itertools import chain
from pathlib import Path

import httpx
from pydicom.dataset import Dataset
from pydicom.uid import ExplicitVRLittleEndian

from chevet.relay.accounts.users import OPERATOR
from chevet.relay.commands.opened import opened
from chevet.relay.errors import SettingsError
from chevet.relay.exports.dicom_files import Made, every_object
from chevet.relay.exports.dicom_object import dicom_file
from chevet.relay.exports.dicom_pdf import encapsulated
from chevet.relay.exports.forms import archive
from chevet.relay.exports.stow import connect
from chevet.relay.exports.stow import send as stow
from chevet.relay.exports.subject import LeftOut, Subject, note, subject


def files(options: argparse.Namespace) -> int:
    """Write one case in one form as a ZIP archive."""
    with opened(options.config) as relay:
        found = subject(
            relay,
            options.case,
            OPERATOR,
            options.form,
            purpose=options.purpose,
            identity="full" if options.with_names else "pseudonym",
        )
        report = [] if options.report is None else [(_report(options, found), ExplicitVRLittleEndian)]
        more = [dicom_file("report.dcm", *item) for item in report]
        size = _write(options.out, archive(found, options.form, more), replace=options.force)
    print(f"{options.out}: {size} bytes. {found.statement}")
    return 0


def send(options: argparse.Namespace) -> int:
    """Send one case to a DICOM archive; 1 unless the archive gave every object back as it was sent."""
    password = _password(options.password_file)
    with (
        opened(options.config) as relay,
        connect(options.to, user=options.user, password=password, allow_http=options.allow_http) as client,
    ):
        found = subject(
            relay,
            options.case,
            OPERATOR,
            "stow",
            purpose=options.purpose,
            identity="full" if options.with_names else "pseudonym",
        )
        states = Counter[str]()
        report = [] if options.report is None else [(_report(options, found), ExplicitVRLittleEndian)]
        for line, state in _sent(client, chain(report, every_object(found))):
            states[state] += 1
            print(line)
        note(found, OPERATOR, f"{states['stored']} of {states.total()} stored")
    print(f"{states['stored']} of {states.total()} objects are in the archive as they were sent.")
    return 0 if states.total() and states["stored"] == states.total() else 1


def _sent(client: httpx.Client, items: Iterable[Made | LeftOut]) -> Iterator[tuple[str, str]]:
    for item in items:
        if isinstance(item, LeftOut):
            print(f"{item.recording}: left out ({item.reason})")
            continue
        for outcome in stow(client, [item]):
            yield f"{outcome.uid}: {outcome.state} {outcome.reason}".rstrip(), outcome.state


def _report(options: argparse.Namespace, found: Subject) -> Dataset:
    """Return the printed report as a DICOM object; it names the patient, so names must be meant to leave."""
    if not options.with_names or getattr(options, "form", "dicom") != "dicom":
        raise SettingsError(
            "report",
            "A printed report names the patient and travels as DICOM: say --with-names, --form dicom.",
        )
    try:
        pdf: bytes = options.report.read_bytes()
    except OSError as error:
        raise SettingsError(
            "report", f"Cannot read {options.report} ({error.strerror}): check the file."
        ) from None
    return encapsulated(found, pdf, "Report of a teleconsultation")


def _password(file: Path | None) -> str:
    if file is None:
        return ""
    try:
        return file.read_text(encoding="utf-8").partition("\n")[0]
    except (OSError, UnicodeDecodeError):
        raise SettingsError("password", f"Cannot read a password from {file}: check the file.") from None


def _write(path: Path, pieces: Iterable[bytes], *, replace: bool) -> int:
    """Write a new file that only its owner may read; nothing is left where the writing fails."""
    if path.exists() and not replace:
        raise SettingsError("out", f"{path} exists: choose another --out, or say --force.")
    draft = path.with_name(f".{path.name}.part")
    size = 0
    try:
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "wb") as file:
            for piece in pieces:
                size += file.write(piece)
                _tell(size)
        draft.replace(path)
    except OSError as error:
        raise SettingsError("out", f"Cannot write {path} ({error.strerror}): choose another --out.") from None
    finally:
        draft.unlink(missing_ok=True)
    return size


def _tell(size: int) -> None:
    """Show how far it is where somebody watches."""
    if sys.stderr.isatty():
        print(f"\r{size >> 10} KiB ", end="", file=sys.stderr, flush=True)
