"""The manual: every command, option and key has its place in it, and mandoc finds no fault."""

from __future__ import annotations

import argparse
import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from manual import documents

from chroot_tool.app.cli.arguments import verbs_of
from chroot_tool.app.cli.parser import whole
from chroot_tool.app.cli.verbs import help as help_verb
from chroot_tool.app.settings import all_settings, keymap
from chroot_tool.core.config import chroot_toml, tool_conf
from support import CHECKOUT, Cli

pytestmark = pytest.mark.xdist_group("manual")  # one worker makes the pages

VERBS = verbs_of(whole())


@pytest.fixture(scope="module")
def pages(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The pages, as a wheel and the Debian package have them."""
    folder = tmp_path_factory.mktemp("manual")
    subprocess.run([sys.executable, "-m", "manual", folder], cwd=CHECKOUT, check=True)
    return folder


def shown(page: Path) -> str:
    """What a reader sees of it, without how it is broken into lines."""
    text = subprocess.run(
        ["mandoc", "-T", "utf8", "-O", "width=1000", page],
        capture_output=True, text=True, check=True,
    ).stdout  # fmt: skip
    return re.sub(r".\x08", "", text)


def test_there_is_a_page_for_each_command_and_each_document(pages: Path) -> None:
    named = {"chroot-tool.1", *(f"chroot-tool-{verb}.1" for verb in VERBS)}
    named |= {f"{page.name}.{page.number}" for page in documents.PAGES}
    assert {page.name for page in pages.iterdir()} == named


def test_help_knows_every_page() -> None:
    names = {page.name.removeprefix("chroot-tool-") for page in documents.PAGES}
    assert set(help_verb.PAGES) == names


@pytest.mark.slow
def test_mandoc_finds_no_fault(pages: Path) -> None:
    done = subprocess.run(
        ["mandoc", "-T", "lint", *sorted(pages.iterdir())],
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    assert (done.stdout, done.returncode) == ("", 0)


@pytest.mark.slow
def test_every_option_has_its_place(pages: Path) -> None:
    for verb, parser in VERBS.items():
        text = shown(pages / f"chroot-tool-{verb}.1")
        tags = {tag for line in text.splitlines() for tag in re.split(r"[ ,]+", line.strip())}
        told = (action for action in parser._actions if action.help != argparse.SUPPRESS)
        names = {name for action in told for name in action.option_strings}
        assert names - tags == set(), verb
        assert {"NAME", "SYNOPSIS", "DESCRIPTION", "OPTIONS", "SEE"} <= tags


def test_every_key_of_a_file_has_its_place(pages: Path) -> None:
    keys = {
        "chroot.toml.5": {
            *chroot_toml.TOP.names,
            *chroot_toml.RUN.names,
            *chroot_toml.SYSTEM.names,
            *chroot_toml.BIND.names,
        },
        "tool.conf.5": set(tool_conf.KEYS),
        "chroot-tool-settings.5": set(all_settings.TOP.names),
        "chroot-tool-keys.7": set(keymap.IDS),
    }
    for page, wanted in keys.items():
        found = {word.strip(".,:;[]()") for word in shown(pages / page).split()}
        assert wanted - found == set(), page


@pytest.mark.parametrize("verb", ["", "on"])
def test_without_a_page_help_prints_the_text(cli: Cli, verb: str) -> None:
    none = {"MANPATH": "/nonexistent"}
    done = cli("help", *verb.split(), env=none)
    assert done.stdout == cli.ok(*verb.split(), "--help")


def test_help_shows_the_page_where_there_is_one(cli: Cli, pages: Path, tmp_path: Path) -> None:
    for page in pages.iterdir():
        folder = tmp_path / f"man{page.suffix[1:]}"
        folder.mkdir(exist_ok=True)
        shutil.copy(page, folder)
    env = {"MANPATH": str(tmp_path), "MANPAGER": "cat"}
    assert "CHROOT-TOOL-ON(1)" in cli("help", "on", env=env).stdout
    assert "TOOL.CONF(5)" in cli("help", "tool.conf", env=env).stdout
    assert "CHROOT-TOOL-SETTINGS(5)" in cli("help", "settings", env=env).stdout


def test_help_of_what_is_not_there_is_one_line(cli: Cli) -> None:
    done = cli("help", "onn")
    assert done.returncode == 2
    assert "did you mean 'on'?" in done.stderr
    assert len(done.stderr.splitlines()) == 2  # and a hint
