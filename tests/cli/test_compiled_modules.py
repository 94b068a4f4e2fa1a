"""What was compiled is found quickly: of the source that is there, and of no other."""

from __future__ import annotations

import os
import py_compile
import re
import subprocess
import sys
from collections.abc import Iterator
from importlib import import_module
from pathlib import Path
from types import ModuleType

import pytest

from chroot_tool.app.compiled_modules import Finder, find_quickly
from support import Cli

NAME = "package_of_a_test"


@pytest.fixture
def package(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A package with a module and a package inside, compiled, and found in our way."""
    place = tmp_path / NAME
    (place / "inner").mkdir(parents=True)
    for name in ("__init__.py", "one.py", "inner/__init__.py"):
        source = place / name
        source.write_text("VALUE = 1\n")
        os.utime(source, (1_000_000_000, 1_000_000_000))
        py_compile.compile(os.fspath(source), doraise=True)
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.setattr(sys, "meta_path", list(sys.meta_path))
    find_quickly(NAME)
    import_module(NAME)
    yield place
    for name in [name for name in sys.modules if name.partition(".")[0] == NAME]:
        del sys.modules[name]


def is_quick(module: ModuleType) -> bool:
    return type(module.__loader__).__module__ == Finder.__module__


@pytest.mark.parametrize("name", ["one", "inner"])
def test_a_module_is_what_it_is_when_python_finds_it(package: Path, name: str) -> None:
    found = import_module(f"{NAME}.{name}")
    assert is_quick(found)
    assert found.VALUE == 1
    ours = {
        one: getattr(found, one, None)
        for one in ("__file__", "__cached__", "__package__", "__path__")
    }
    del sys.modules[f"{NAME}.{name}"]
    sys.meta_path = [one for one in sys.meta_path if not isinstance(one, Finder)]
    usual = import_module(f"{NAME}.{name}")
    assert not is_quick(usual)
    assert {one: getattr(usual, one, None) for one in ours} == ours


@pytest.mark.parametrize("name", ["one", "inner"])
@pytest.mark.parametrize(
    "changed", ["size", "time", "nothing compiled", "hash", "cut off", "version"]
)
def test_what_is_not_compiled_of_its_source_is_not_run(
    package: Path, name: str, changed: str
) -> None:
    source = package / (f"{name}.py" if name == "one" else f"{name}/__init__.py")
    cache = source.parent / f"__pycache__/{source.stem}.{sys.implementation.cache_tag}.pyc"
    when = source.stat().st_mtime
    source.write_text("VALUE = 2\n" if changed != "size" else "VALUE = 2  # longer\n")
    if changed == "size":
        os.utime(source, (when, when))
    if changed == "nothing compiled":
        cache.unlink()
    if changed == "hash":
        py_compile.compile(
            os.fspath(source), invalidation_mode=py_compile.PycInvalidationMode.CHECKED_HASH
        )
        source.write_text("VALUE = 2\n\n")
    if changed in ("cut off", "version"):
        py_compile.compile(os.fspath(source), doraise=True)
        data = cache.read_bytes()
        cache.write_bytes(data[:-5] if changed == "cut off" else b"\0\0\0\0" + data[4:])
    if changed == "cut off":
        with pytest.raises(EOFError):  # as ever
            import_module(f"{NAME}.{name}")
        return
    found = import_module(f"{NAME}.{name}")
    assert not is_quick(found)
    assert found.VALUE == 2


def test_a_command_finds_its_own_modules_so(cli: Cli) -> None:
    """What starts it finds a few as ever; the rest is compiled by then, by the run before."""
    python, *rest = cli.argv("list")
    for _ in range(2):
        told = subprocess.run(
            [python, "-v", *rest], env=cli.environment(), capture_output=True, text=True, check=True
        ).stderr
    found = re.findall(r"^import 'chroot_tool\.(\S+)' # <(\S+) object", told, re.MULTILINE)
    quick = {name for name, loader in found if loader == f"{Finder.__module__}._Loader"}
    assert {"core.local_engine", "core.looking.status_reader"} <= quick
    assert {name for name, _ in found if name.startswith("core.")} - quick <= {"core.value"}
