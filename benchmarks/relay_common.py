"""What both parts of the relay's benchmark take from its tests: a site, recordings, a PostgreSQL."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

TESTS = Path(__file__).resolve().parent.parent / "tests"


def loaded(name: str, path: Path) -> ModuleType:
    """Return a module of the tests; their package bears the name of this benchmark."""
    spec = importlib.util.spec_from_file_location(name, path)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module


world = loaded("relay_world", TESTS / "relay" / "conftest.py")
postgres = loaded("relay_postgres", TESTS / "relay" / "postgres_here.py")
fakes = loaded("relay_fakes", TESTS / "exchange" / "exchange_fakes.py")
