"""chroot-tool.sh: the first start of a checkout, and every accident that it may meet."""

import os
import re
import shutil
import signal
import subprocess
import tempfile
from collections.abc import Iterator
from pathlib import Path

import pytest

from support import CHECKOUT, PATIENCE, let_in, wait_until

FILES = (
    "chroot-tool.sh", "pyproject.toml", "README.md", "LICENSE", ".pkg", "app", "core", "widgets",
)  # fmt: skip


LITTLE = """
import zipfile

def build_editable(folder, config_settings=None, metadata_directory=None):
    facts = {
        "METADATA": "Metadata-Version: 2.1\\nName: chroot-tool\\nVersion: 1\\n",
        "WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
        "RECORD": "",
    }
    name = "chroot_tool-1-py3-none-any.whl"
    with zipfile.ZipFile(f"{folder}/{name}", "w") as wheel:
        for fact, text in facts.items():
            wheel.writestr(f"chroot_tool-1.dist-info/{fact}", text)
    return name
"""
"""What builds a package of nothing."""


@pytest.fixture
def checkout() -> Iterator[Path]:
    """A checkout that nobody has started yet, where other users can read it, if there are any."""
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name, "checkout")
        folder.mkdir()
        if os.geteuid() == 0:
            let_in(folder)
        others_compile = shutil.ignore_patterns("__pycache__")
        for file in FILES:
            if (CHECKOUT / file).is_dir():
                shutil.copytree(CHECKOUT / file, folder / file, ignore=others_compile)
            else:
                shutil.copy2(CHECKOUT / file, folder)
        yield folder


@pytest.mark.slow
def test_tab_sets_nothing_up(checkout: Path) -> None:
    argv = [str(checkout / "chroot-tool.sh"), "__complete", "chroot-tool", ""]
    done = subprocess.run(argv, capture_output=True, text=True, timeout=60, check=True)
    assert (done.stdout, done.stderr) == ("", "")
    assert not (checkout / ".venv").exists()


def start(checkout: Path) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [checkout / "chroot-tool.sh", "--version"], text=True, start_new_session=True,
        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        # Compiling it all would be most of pip's work, and `--version` needs next to nothing.
        env={**os.environ, "PYTHONHOME": "/nonexistent", "PYTHONPATH": "/nonexistent",
             "PIP_NO_COMPILE": "1"},
    )  # fmt: skip


def finish(started: subprocess.Popen[str]) -> str:
    """Wait for success, check that stdout is the tool's alone, and return stderr."""
    out, err = started.communicate("not read\n", timeout=600)
    assert started.returncode == 0, err
    assert out.startswith("chroot-tool ")
    assert len(out.splitlines()) == 1
    return err


def wait_for(path: Path, started: subprocess.Popen[str]) -> None:
    wait_until(path.exists, started, patience=600)  # pip may have to download


@pytest.mark.network
def test_a_start_repairs_what_an_earlier_one_left(checkout: Path, tmp_path: Path) -> None:
    killed = start(checkout)
    wait_for(checkout / ".venv/new", killed)  # pip is at work
    os.killpg(killed.pid, signal.SIGKILL)
    killed.communicate(timeout=PATIENCE)

    both = [finish(started) for started in [start(checkout), start(checkout)]]
    assert [said.count("making the Python environment") for said in both].count(1) == 1
    assert finish(start(checkout)) == ""

    moved = checkout.rename(checkout.with_name("moved"))
    assert "making the Python environment" in finish(start(moved))
    assert str(checkout) not in next(moved.glob(".venv/lib/*/*/_chroot_tool.pth")).read_text()

    link = tmp_path / "tool"
    link.symlink_to(moved / "chroot-tool.sh")
    done = subprocess.run([link, "--version"], cwd="/", capture_output=True, text=True, check=True)
    assert (done.stdout[:12], done.stderr) == ("chroot-tool ", "")


@pytest.mark.network
def test_an_upgrade_of_the_system_or_the_project_is_followed(checkout: Path) -> None:
    # Three environments: what they would hold beside the tool, and how that is built, is the other
    # test's matter.
    project = checkout / "pyproject.toml"
    none = re.sub(r"(?ms)^dependencies = \[.*?^\]", "dependencies = []", project.read_text())
    built = '[build-system]\nrequires = []\nbuild-backend = "little"\nbackend-path = ["."]\n'
    project.write_text(re.sub(r"(?ms)^\[build-system\].*?^(?=\[project\])", built, none))
    (checkout / "little.py").write_text(LITTLE)
    assert "making the Python environment" in finish(start(checkout))

    (checkout / "pyproject.toml").touch()
    said = finish(start(checkout))
    assert "installing Python packages" in said
    assert "making" not in said

    interpreter = next(checkout.glob(".venv/bin/python3.*"))
    interpreter.unlink()
    interpreter.symlink_to("/usr/bin/python3.0")
    assert "making the Python environment" in finish(start(checkout))


@pytest.mark.slow
@pytest.mark.root
@pytest.mark.parametrize(
    ("hidden", "command", "code", "says"),
    [
        (["debootstrap"], "list", 5, "as root"),
        (["debootstrap"], "run", 125, "as root"),
        (["debootstrap", "apt-get"], "list", 1, "no Debian"),
    ],
)
def test_what_cannot_be_installed_is_named_in_one_line(
    checkout: Path, hidden: list[str], command: str, code: int, says: str
) -> None:
    # A file that cannot be executed is not found; the mounts end with this namespace.
    hide = "".join(f"mount --bind /dev/null {shutil.which(program)} && " for program in hidden)
    as_nobody = "exec setpriv --reuid 65534 --regid 65534 --clear-groups"
    done = subprocess.run(
        ["unshare", "--mount", "sh", "-c", f'{hide}{as_nobody} "$@"', "sh",
         checkout / "chroot-tool.sh", command],
        stdin=subprocess.DEVNULL, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == code, done.stderr
    assert done.stdout == ""
    [line] = done.stderr.splitlines()
    assert line.startswith("chroot-tool.sh: missing: debootstrap;")
    assert says in line
    assert not (checkout / ".venv").exists()
