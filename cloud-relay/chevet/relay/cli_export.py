"""The words of `chevet-relay export`."""

import argparse
from collections.abc import Callable
from pathlib import Path
from typing import TypeAlias

from chevet.study.study import CONSENT_PURPOSES

Kinds: TypeAlias = "argparse._SubParsersAction[argparse.ArgumentParser]"  # noqa: SLF001 - what add_subparsers returns
Command = Callable[[argparse.Namespace], int]
FORMS = ("wfdb", "edf", "wav", "dicom", "fhir")
DESCRIPTION = """\
Writes what a case holds in formats that other software reads. Under a pseudonym unless --with-names says
otherwise; only for what the patient consented to; every export stands in the audit. See docs/exports.md.
"""


def add_export(
    kinds: Kinds, later: Callable[[str, str], Command], add_config: Callable[[argparse.ArgumentParser], None]
) -> None:
    """Add `export` and its actions to the parser of all commands."""
    actions = kinds.add_parser(
        "export", help="write cases as WFDB, EDF+, WAV, DICOM or FHIR", description=DESCRIPTION
    ).add_subparsers(metavar="ACTION", required=True)
    files = actions.add_parser("files", help="write one case as a ZIP archive", description=DESCRIPTION)
    files.add_argument("--form", required=True, choices=FORMS, help="the format of its files")
    files.add_argument("--out", required=True, type=Path, metavar="FILE", help="the archive to write")
    files.add_argument("--force", action="store_true", help="replace the archive if it exists")
    files.set_defaults(command=later("exports", "files"))
    send = actions.add_parser(
        "send",
        help="send one case to a DICOM archive by STOW-RS",
        description="Stores every object and fetches it again to compare: many archives answer success and "
        "keep an older copy. Exit code 1 unless all came back as they were sent.",
    )
    send.add_argument("--to", required=True, metavar="URL", help="https address of its DICOMweb service")
    send.add_argument("--user", default="", help="account at the archive")
    send.add_argument(
        "--password-file", type=Path, metavar="FILE", help="file whose first line is the account's password"
    )
    send.add_argument("--allow-http", action="store_true", help="send in clear; only inside a VPN")
    send.set_defaults(command=later("exports", "send"))
    for action in (files, send):
        _about(action)
        add_config(action)


def _about(action: argparse.ArgumentParser) -> None:
    action.add_argument("case", metavar="CASE", help="the case's id, as the desk's address shows it")
    action.add_argument(
        "--purpose",
        choices=CONSENT_PURPOSES,
        default="care",
        help="what it is for; the patient's consent must cover it (default: care)",
    )
    action.add_argument(
        "--report",
        type=Path,
        metavar="PDF",
        help="a report printed at the desk, to go along as DICOM; needs --with-names",
    )
    action.add_argument(
        "--with-names", action="store_true", help="name the patient; for care only (default: a pseudonym)"
    )
