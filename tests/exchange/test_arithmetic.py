"""One thread of BLAS, unless whoever starts the program says otherwise."""

import ast
import importlib
import os
import sys
from pathlib import Path
from types import ModuleType

import pytest

from chevet.edge import cli as edge_cli
from chevet.exchange import arithmetic
from chevet.relay import cli as relay_cli


@pytest.mark.parametrize(("said", "holds"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "4"}, "4")])
def test_one_thread_is_taken_where_nobody_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str], holds: str
) -> None:
    monkeypatch.setattr(os, "environ", dict(said))
    importlib.reload(arithmetic)
    assert os.environ == {"OPENBLAS_NUM_THREADS": holds}


@pytest.mark.parametrize("command", [edge_cli, relay_cli])
def test_the_commands_settle_how_numpy_works_before_anything_can_load_it(command: ModuleType) -> None:
    """One thread of BLAS: on a busy machine several cost ten times the work."""
    tree = ast.parse(Path(str(command.__file__)).read_text("utf-8"))
    loaded = [
        f"{node.module}.{one.name}" if isinstance(node, ast.ImportFrom) else one.name
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for one in node.names
    ]
    first = loaded[: loaded.index("chevet.exchange.arithmetic")]
    assert {name.partition(".")[0] for name in first} <= sys.stdlib_module_names
