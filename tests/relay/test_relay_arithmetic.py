"""What the relay's command settles before NumPy is loaded."""

import ast
import sys
from pathlib import Path

from chevet.relay import cli


def test_the_command_settles_how_numpy_works_before_anything_can_load_it() -> None:
    """One thread of BLAS: on a busy machine several cost ten times the work."""
    tree = ast.parse(Path(cli.__file__).read_text("utf-8"))
    loaded = [
        f"{node.module}.{one.name}" if isinstance(node, ast.ImportFrom) else one.name
        for node in tree.body
        if isinstance(node, ast.Import | ast.ImportFrom)
        for one in node.names
    ]
    first = loaded[: loaded.index("chevet.exchange.arithmetic")]
    assert {name.partition(".")[0] for name in first} <= sys.stdlib_module_names
