"""One thread of BLAS, unless whoever starts the program says otherwise."""

import importlib
import os

import pytest

from chevet.exchange import arithmetic


@pytest.mark.parametrize(("said", "holds"), [({}, "1"), ({"OPENBLAS_NUM_THREADS": "4"}, "4")])
def test_one_thread_is_taken_where_nobody_says_otherwise(
    monkeypatch: pytest.MonkeyPatch, said: dict[str, str], holds: str
) -> None:
    monkeypatch.setattr(os, "environ", dict(said))
    importlib.reload(arithmetic)
    assert os.environ == {"OPENBLAS_NUM_THREADS": holds}
