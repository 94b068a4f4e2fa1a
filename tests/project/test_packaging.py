"""What users get from pip: the files of the wheel, and the command in an empty environment."""

import json
import os
import re
import subprocess
import sys
import venv
import zipfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import CHECKOUT

pytestmark = pytest.mark.xdist_group("wheel")  # one worker makes what all of them look at

PARTS = ("app", "core", "widgets")


def sources() -> Iterator[str]:
    """The files of the package as a wheel names them."""
    yield from (f"chroot_tool/{name}" for name in ("__init__.py", "__main__.py", "py.typed"))
    for part in PARTS:
        for path in (CHECKOUT / part).rglob("*"):
            if path.is_file() and "__pycache__" not in path.parts:
                yield f"chroot_tool/{path.relative_to(CHECKOUT)}"


@pytest.mark.slow
def test_the_wheel_holds_the_package_and_nothing_else(wheel: Path) -> None:
    names = zipfile.ZipFile(wheel).namelist()
    package = [name for name in names if not re.match(r"[\w.-]+\.(dist-info|data)/", name)]
    assert sorted(package) == sorted(sources())
    [script] = [name for name in names if "/scripts/" in name]
    assert script.endswith(".data/scripts/chroot-tool")
    pages = {name.partition(".data/data/share/man/")[2] for name in names}
    assert {"man1/chroot-tool.1", "man1/chroot-tool-on.1", "man5/chroot.toml.5"} <= pages


@pytest.fixture(scope="module")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The folder of programs of an environment that holds the wheel and what it asks for."""
    folder = tmp_path_factory.mktemp("installed")
    venv.create(folder)
    # By our pip: to install another one would take longer than all else. Nobody looks at how quick
    # it starts the first time, either.
    pip: list[str | Path] = [sys.executable, "-I", "-m", "pip", "--python", folder / "bin/python"]
    pip += ["-qq", "--disable-pip-version-check"]
    subprocess.run([*pip, "install", "--no-compile", wheel], check=True)
    subprocess.run([*pip, "check"], check=True)
    return folder / "bin"


def run(program: Path, *args: str | Path, cwd: Path) -> str:
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    done = subprocess.run(
        [program, *args], cwd=cwd, env=env, capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


@pytest.mark.network
def test_the_command_runs_where_only_the_wheel_is(installed: Path, tmp_path: Path) -> None:
    python = "import chroot_tool; print(chroot_tool.__version__, chroot_tool.__file__)"
    version, file = run(installed / "python", "-c", python, cwd=tmp_path).split()
    assert Path(file).is_relative_to(installed.parent)
    assert version in run(installed / "chroot-tool", "--version", cwd=tmp_path)

    (tmp_path / "empty").mkdir()
    listed = run(installed / "chroot-tool", "list", "--base", "empty", "--json", cwd=tmp_path)
    assert json.loads(listed) == []


@pytest.mark.network
def test_the_command_is_as_quick_as_a_checkout_s(installed: Path) -> None:
    """The one that pip makes for an entry point imports `re`, which takes longer than `run`."""
    imports = re.findall(r"^ *(?:import|from) (\S+)", (installed / "chroot-tool").read_text(), re.M)
    assert imports == ["sys", "chroot_tool.app.main"]


@pytest.mark.network
@pytest.mark.parametrize("part", PARTS)
def test_no_part_is_importable_under_its_bare_name(
    installed: Path, tmp_path: Path, part: str
) -> None:
    found = f"import importlib.util; print(importlib.util.find_spec({part!r}))"
    assert run(installed / "python", "-c", found, cwd=tmp_path) == "None\n"
