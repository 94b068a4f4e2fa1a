"""What may not creep in: imports that cost start-up or point up, names of one machine."""

import ast
import os
import re
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from support import CHECKOUT, Cli, make_tiny_root
from support.imports import SLOW, UI, imported

CORE = sorted(
    f"chroot_tool.{path.relative_to(CHECKOUT).with_suffix('')}".replace("/", ".")
    for path in (CHECKOUT / "core").rglob("*.py")
)


def test_the_engine_imports_no_ui() -> None:
    script = f"""
import importlib, sys
for module in {CORE}:
    importlib.import_module(module)
    assert not {UI} & set(sys.modules), module
"""
    subprocess.run([sys.executable, "-c", script], check=True)


@pytest.mark.slow
def test_the_ui_says_how_often_it_is_painted_before_textual_is_there() -> None:
    script = """
import os, sys
import chroot_tool.app.cli.commands, chroot_tool.app.settings.file
from chroot_tool.app.tui.terminal.paint_rate import paint_often
assert "textual.constants" not in sys.modules
paint_often()
import chroot_tool.app.tui.app, textual.screen
print(round(1 / textual.screen.UPDATE_PERIOD), "TEXTUAL_FPS" in os.environ)
"""
    own = {name: value for name, value in os.environ.items() if name != "TEXTUAL_FPS"}
    for env, said in ((own, "240 False"), (own | {"TEXTUAL_FPS": "30"}, "30 True")):
        done = subprocess.run(
            [sys.executable, "-c", script], env=env, capture_output=True, text=True, check=False
        )
        assert done.stdout.strip() == said, done.stderr


@pytest.mark.slow
def test_the_ui_imports_no_more_than_its_first_paint_needs(tmp_path: Path) -> None:
    script = f"""
import sys
from chroot_tool.app.tui import start
class Stopped(Exception):
    pass
class Watch(start.WatchThread):
    def post_to(self, engine, post):
        raise Stopped
start.WatchThread = Watch
try:
    start.main({str(tmp_path)!r})
except Stopped:
    pass
print(sys.getswitchinterval() < 0.001)
slow = {{"ssl", "json", "tomlkit", "bittty", "psutil", "chroot_tool.core.looking.watch"}}
print(slow & set(sys.modules))
import asyncio.sslproto, ssl
print(asyncio.sslproto.ssl, ssl.create_default_context().verify_mode.name)
"""
    done = subprocess.run(
        [sys.executable, "-c", script], env=os.environ | {"XDG_STATE_HOME": str(tmp_path)},
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.stdout == "True\nset()\nNone CERT_REQUIRED\n", done.stderr


def own_modules() -> Iterator[Path]:
    for part in ("app", "core", "widgets"):
        yield from (CHECKOUT / part).rglob("*.py")


@pytest.mark.parametrize("path", own_modules(), ids=lambda p: str(p.relative_to(CHECKOUT)))
def test_nobody_uses_what_another_module_keeps_to_itself(path: Path) -> None:
    tree = ast.parse(path.read_text())
    imports = [n for n in ast.walk(tree) if isinstance(n, ast.ImportFrom) and n.level]
    names = {alias.asname or alias.name for node in imports for alias in node.names}
    modules = {name for name in names if name.islower()}
    taken = [alias.name for node in imports for alias in node.names if is_private(alias.name)]
    reached = [
        f"{node.value.id}.{node.attr}"
        for node in ast.walk(tree)
        if isinstance(node, ast.Attribute) and is_private(node.attr)
        if isinstance(node.value, ast.Name) and node.value.id in modules
    ]
    assert taken + reached == []


STARTERS = {
    "core/programs.py": "what has its output",
    "core/entering/launch.py": "becomes the command of `run`",
    "core/archives/confined.py": "becomes the program that has no more rights than it needs",
    "core/remote/connection.py": "both streams of ssh are held while it answers",
    "core/remote/deploy.py": "as connection.py; a file is its input",
    "core/remote/idle_connections.py": "keeps a connection when we have ended",
    "core/remote/put_there.py": "stands alone on another host: nothing of ours is there yet",
    "core/remote/remote_engine.py": "has the terminal: run in a chroot of another host",
    "app/cli/elevate.py": "has the terminal: sudo",
    "app/cli/verbs/bind.py": "has the terminal: an editor, and us as root",
    "app/cli/verbs/help.py": "has the terminal: man",
    "app/tui/panels/detached.py": "logs a command that goes on when the UI has quit",
    "app/tui/terminal/handover.py": "has the terminal that the UI stands in",
    "widgets/terminal/pty_child.py": "has a pty of its own",
}
"""All that start programs, and why not by core/programs.py."""


@pytest.mark.slow
def test_programs_are_started_where_there_is_a_reason() -> None:
    assert {
        str(path.relative_to(CHECKOUT))
        for path in own_modules()
        if any(map(starts, ast.walk(ast.parse(path.read_text()))))
    } == set(STARTERS)


def starts(node: ast.AST) -> bool:
    """Tell whether it names what starts a program."""
    return isinstance(node, ast.Attribute) and bool(
        re.fullmatch(
            r"subprocess\.(run|Popen|call|check_\w+|getoutput)|os\.(exec|spawn|posix_spawn)\w+"
            r"|os\.(posix_spawn|system|popen)|pty\.spawn|asyncio\.create_subprocess_\w+",
            ast.unparse(node),
        )
    )


def is_private(name: str) -> bool:
    return name.startswith("_") and not name.endswith("__")


@pytest.mark.root
@pytest.mark.parametrize("option", ["", "-x"])
def test_run_imports_nothing_slow(cli: Cli, tiny_chroot: Path, option: str) -> None:
    found = imported_by(cli, "run", *option.split(), "/bin/true", "-d", tiny_chroot)
    slow = SLOW if option else SLOW | {"collections", "enum", "functools"}
    assert not slow & found, slow & found
    of_sessions = {name for name in found if "session" in name or "ephemeral" in name}
    assert bool(of_sessions) == bool(option)


@pytest.mark.root
def test_clone_imports_little(cli: Cli, tiny_chroot: Path, tmp_path: Path) -> None:
    """Where it only makes a snapshot or shares blocks, the start of Python is all it takes."""
    found = imported_by(cli, "clone", "-d", tiny_chroot, tmp_path / "copy")
    assert not (SLOW | {"shutil", "tomllib", "chroot_tool.core.creating.options"}) & found


def test_who_is_asked_from_elsewhere_imports_little(cli: Cli, tmp_path: Path) -> None:
    """Each host of a hundred starts one for a question."""
    make_tiny_root(tmp_path / "one")
    asked = '{"id": 1, "do": "list"}\n'
    found = imported_by(cli, "--base", tmp_path, "serve", "--json", stdin=asked)
    assert "chroot_tool.core.looking.status_reader" in found
    slow = SLOW | {"argparse", "collections", "contextlib", "enum", "re", "signal", "threading"}
    ours = {
        "app.json_fields", "core.config.administration", "core.config.chroot_toml", "core.lock",
        "core.mounts.steps", "core.programs",
    }  # fmt: skip
    slow |= {"bisect", "ctypes", "types", *(f"chroot_tool.{name}" for name in ours)}
    assert not slow & found, slow & found


def imported_by(cli: Cli, *words: str | Path, stdin: str = "") -> set[str]:
    """Return the modules that a command imports, which must succeed."""
    python, *rest = cli.argv(*words)
    done = subprocess.run(
        [python, "-X", "importtime", *rest], env=cli.environment(),
        input=stdin, capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = imported(done.stderr)
    assert any(name.startswith("chroot_tool.core.") for name in found)
    return found


def files() -> Iterator[Path]:
    """Every file of the project, without what git ignores: caches, .venv, builds."""
    ignored = re.compile(
        r"\.git|\.venv|\..*_cache|\.hypothesis|__pycache__|dist|build|snapshot_report\.html"
    )
    for folder, folders, names in os.walk(CHECKOUT):
        folders[:] = [name for name in folders if not ignored.fullmatch(name)]
        yield from (Path(folder, name) for name in names if not ignored.fullmatch(name))


@cache
def registries() -> frozenset[str]:
    """The hosts that this machine gets its packages from, asked of apt and pip themselves.

    Without those that stand in many an example: this machine itself, and names of one word.
    """
    apt = ["apt-get", "indextargets", "--format", "$(REPO_URI)"]
    pip = [sys.executable, "-m", "pip", "config", "list"]
    index = "from pip._internal.models.index import PyPI; print(PyPI.url, PyPI.file_storage_domain)"
    said = "".join(
        subprocess.run(command, capture_output=True, text=True, check=True).stdout
        for command in (apt, pip, [sys.executable, "-c", index])
    )
    urls = re.findall(r"\w+://[^\s'\"]+", said)
    hosts = {urlsplit(url).hostname or "" for url in urls}
    return frozenset(host for host in hosts if "." in host and not host.startswith("127."))


@pytest.mark.slow
def test_no_file_names_a_registry_or_this_machine() -> None:
    # A checkout at /src or /app would be found in every second example.
    here = {str(CHECKOUT)} if len(CHECKOUT.parts) > 2 else set()
    names = re.compile(
        "|".join(rf"(?<![\w.-]){re.escape(n)}(?![\w-])" for n in registries() | here)
    )
    assert names.search(f"see http://{next(iter(registries()))}/debian")
    found = [
        f"{path.relative_to(CHECKOUT)}: {match[0]}"
        for path in files()
        if path.is_file()
        for match in names.finditer(path.read_text(errors="replace"))
    ]
    assert found == []
