"""The settings file: what is taken, what is refused and in which words, edits without loss."""

import os
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chroot_tool.app.engine import DEFAULT_BASE, base_directory
from chroot_tool.app.paths import settings_file
from chroot_tool.app.settings import key_names
from chroot_tool.app.settings.all_settings import COLUMNS, COLUMNS_OF, COMMAND, CONFIRM, TOP
from chroot_tool.app.settings.file import Settings, begin, load, parse, save
from chroot_tool.app.settings.themes import NAMES
from chroot_tool.core.config.schema_line import header
from chroot_tool.core.creating.bases.store import DIRECTORY
from chroot_tool.core.errors import ChrootError, ConfigError
from chroot_tool.widgets.tables import chroot_columns
from support import CHECKOUT, Cli


@pytest.fixture
def file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the settings file would be; neither it nor its folder exists."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    monkeypatch.delenv("CHROOT_TOOL_BASE", raising=False)
    return Path(settings_file())


def written(file: Path, text: str) -> Path:
    file.parent.mkdir(parents=True)
    file.write_text(text)
    return file


def errors(text: str) -> list[tuple[str, str]]:
    with pytest.raises(ConfigError) as caught:
        parse(text.encode(), "s.toml")
    return [(problem.message, problem.hint) for problem in caught.value.problems]


def test_no_file_means_the_defaults(file: Path) -> None:
    assert not file.exists()
    assert load() == Settings("", "", COLUMNS, True, 50)


def test_a_file_that_is_made_to_be_edited_only_explains(file: Path) -> None:
    assert begin() == str(file)
    assert load() == Settings()
    text = file.read_text()
    begin()
    assert file.read_text() == text


def test_it_has_every_setting_with_its_default(file: Path) -> None:
    begin()
    lines = file.read_text().splitlines()
    text = "\n".join(line.removeprefix("#") for line in lines if not line.startswith("# "))
    there = tomllib.loads(text)
    assert set(there) == set(TOP.names)
    assert set(there["command"][0]) == set(COMMAND.names)
    assert set(there["confirm"]) == set(CONFIRM.names)
    found = parse(text.encode(), str(file))
    known = Settings(base=DEFAULT_BASE, cache=DIRECTORY, theme="dark")
    assert found.replace(keys=(), commands=()) == known
    assert len(found.commands) == 1
    assert max(map(len, lines)) <= 240


def test_what_the_ui_keeps_stands_in_the_place_of_the_line_that_says_it(file: Path) -> None:
    begin()
    text = file.read_text()
    save({"dock": 30, "theme": "nord"})
    for table in ("#[keys]", "#[confirm]"):
        file.write_text(file.read_text().replace(table, table[1:]))
    assert (load().dock, load().theme) == (30, "nord")
    kept = [line for line in file.read_text().splitlines() if line[:1] not in ("#", "[")]
    assert [line for line in kept if line] == ['theme = "nord"', "dock = 30"]
    assert file.read_text().count("dock = ") == 1
    assert "\n#dock = 50\n" in text


def test_everything_that_can_be_set(file: Path) -> None:
    written(
        file,
        """
        theme = "nord"
        base = "/srv/other"
        columns = ["name", "state", "size"]
        dock = 30
        backend = "mmdebstrap"
        cache = "/srv/bases"
        cache-size = "1.5G"
        [confirm]
        quit = false
        [keys]
        environments.toggle = "I"
        "environments.delete" = ["ctrl+d", "delete"]
        pane.1 = "f1"
        app.help = ","
        environments.filter = "?"
        """,
    )
    assert load() == Settings(
        "nord", "/srv/other", ("name", "state", "size"), False, 30,
        "mmdebstrap", "/srv/bases", 3 << 29,
        (
            ("app.help", ("comma",)),
            ("environments.delete", ("ctrl+d", "delete")),
            ("environments.filter", ("question_mark",)),
            ("environments.toggle", ("I",)),
            ("pane.1", ("f1",)),
        ),
    )  # fmt: skip


def test_the_home_directory_is_expanded(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HOME", "/home/me")
    written(file, 'base = "~/chroots"')
    assert base_directory("") == "/home/me/chroots"


def test_all_errors_are_told_at_once() -> None:
    found = errors(
        'them = "nord"\n'
        "base = 7\n"
        'columns = ["name", "stat",\n'
        ' "name"]\n'
        "[confirm]\n"
        'quit = "no"\n'
        "[keys]\n"
        'environments.togle = "o"\n'
        'app.quit = "alt+q"\n'
    )
    assert [(message.partition(": ")[0], hint) for message, hint in found] == [
        ("s.toml:1", "did you mean 'theme'?"),
        ("s.toml:2", 'write it in quotes: "7"'),
        ("s.toml:3", "did you mean 'state'?"),
        ("s.toml:4", "leave one of them out"),
        ("s.toml:6", ""),
        ("s.toml:8", "did you mean 'environments.toggle'?"),
        ("s.toml:9", "write a plain key, or one with ctrl"),
    ]


@pytest.mark.parametrize(
    ("text", "message", "hint"),
    [
        ("theme = 'nrod'", "theme is 'nrod', expected the name of one", "did you mean 'nord'?"),
        ("theme = ['nord']", "theme is an array, expected a string", ""),
        ("base = 'srv'", "base is 'srv', expected an absolute path", "write it from / or from ~/"),
        ('base = "~\\u0000x"', "base is '~\\x00x', expected an absolute path",
         "write it from / or from ~/"),
        ("base = ''", "base is '', expected an absolute path", "write it from / or from ~/"),
        ("cache = 'bases'", "cache is 'bases', expected an absolute path",
         "write it from / or from ~/"),
        ("backend = 'mmdebstrp'",
         "backend is 'mmdebstrp', expected one of 'debootstrap', 'mmdebstrap'",
         "did you mean 'mmdebstrap'?"),
        ("columns = ['state', 'nmae']", "'nmae' is no column", "did you mean 'name'?"),
        ("signs = 'x'", "signs is 'x', expected one of 'auto', 'unicode', 'ascii'", ""),
        ("backend = 1", "backend is an integer, expected a string", None),
        ("cache-size = 'much'", "cache-size is 'much', expected a size", None),
        (f"cache-size = '{'9' * 330}'", f"cache-size is '{'9' * 330}', expected a size", None),
        ("cache-size = -1", "cache-size is -1, expected a size", None),
        ("cache-size = true", "cache-size is True, expected a size", None),
        ("cache-size = 1.5", "cache-size is 1.5, expected a size", None),
        ("columns = 'name'", "columns is a string, expected an array", ""),
        ("columns = ['state']", "columns without 'name', expected it", 'add "name"'),
        ("columns = [1, 'name']", "columns holds an integer, expected strings only",
         'write each in quotes: "1"'),
        ("confirm = true", "confirm is true or false, expected a table", "write [confirm]"),
        ("[confirm]\nquitt = true", "unknown key 'quitt' in confirm", "did you mean 'quit'?"),
        ("keys = 1", "keys is an integer, expected a table", "write [keys]"),
        ("keys.pane.9 = '9'", "unknown key binding 'pane.9'", "did you mean 'pane.5'?"),
        ("keys.app = 'x'", "unknown key binding 'app'", None),
        ("keys.app.quit = []", "no key for app.quit, expected one at least",
         'write "x" or ["x", "y"]'),
        ("keys.app.quit = 1", "key 1 of app.quit, expected a string", 'write it in quotes: "1"'),
        ("keys.app.quit = ''", "key '' is no key (app.quit)", "write a key"),
        ("keys.app.quit = 'Q '", "key 'Q ' is no key (app.quit)", None),
        ("keys.app.quit = 'pgup'", "key 'pgup' is no key (app.quit)", "did you mean 'pageup'?"),
        ("keys.app.quit = 'Enter'", "key 'Enter' is no key (app.quit)", "did you mean 'enter'?"),
        ("keys.app.quit = 'shift+q'", "key 'shift+q' is no key (app.quit)", "write 'Q'"),
        ("keys.app.quit = 'ctrl+shift+q'",
         "key 'ctrl+shift+q' can't be bound: few terminals tell ctrl+shift from ctrl (app.quit)",
         "write a plain key, or one with ctrl"),
        ("keys.app.quit = 'ctrl+q'",
         "key 'ctrl+q' can't be bound: it starts the terminal's output (app.quit)",
         "write another key"),
        ("keys.app.quit = 'n'",
         "key 'n' of app.quit is the key of environments.create, too",
         "give one of them another key; all are in docs/keys.md"),
        ("keys.app.quit = 'Q'\nkeys.'app.quit' = 'Y'", "app.quit is bound twice",
         "leave one of them out"),
        ("theme = nord", "Invalid value: 'theme = nord', expected TOML",
         'text needs quotes: key = "text"'),
    ],
)  # fmt: skip
def test_an_error_says_what_where_and_what_to_do(text: str, message: str, hint: str | None) -> None:
    told = errors(text)
    line = text.count("\n") + 1
    assert [said for said, _ in told] == [f"s.toml:{line}: {message}"]
    assert hint is None or told[0][1] == hint


@pytest.mark.parametrize(
    "key",
    ["ctrl+a", "ctrl+b", "ctrl+s", "ctrl+q", "f10", "f11", "alt+x", "ctrl+shift+x", "ctrl+alt+x",
     "ctrl+shift+pageup", "ctrl+m", "tab", "escape", "ctrl+c", "nonsense", "€€", "\x1b", "\u200b"],
)  # fmt: skip
def test_keys_that_do_not_reach_us_everywhere_are_refused(key: str) -> None:
    assert key_names.key_name(key)[0] == ""
    assert key_names.key_name(key)[1]


def test_a_clash_is_told_where_the_key_was_given() -> None:
    found = errors('[keys]\npane.1 = "f1"\npane.2 = "f1"\n')
    assert [message for message, _ in found] == [
        "s.toml:3: key 'f1' of pane.2 is the key of pane.1, too"
    ]


def test_a_key_that_only_one_binding_may_have_can_be_kept_beside_others() -> None:
    settings = parse(b"[keys]\nenvironments.clear = ['escape', 'e']", "s.toml")
    assert settings.keys == (("environments.clear", ("escape", "e")),)


def test_keys_may_be_swapped_and_terminals_have_all_keys_to_themselves() -> None:
    parse(b"[keys]\nenvironments.create = 'd'\nenvironments.delete = 'n'", "s.toml")
    parse(b"[keys]\nterminal.leave = 'f2'\npane.2 = 'f2'", "s.toml")


def test_the_file_is_told_by_the_command_line(cli: Cli, tmp_path: Path) -> None:
    path = tmp_path / "chroot-tool/settings.toml"
    path.parent.mkdir()
    path.write_text("base = '/x'\nthem = 'nord'\nkeys.app.quit = 'f11'\n")
    done = cli("list", env={"XDG_CONFIG_HOME": str(tmp_path)})
    assert done.returncode == 3
    assert done.stdout == ""
    assert done.stderr.splitlines() == [
        f"chroot-tool: {path}:2: unknown key 'them'",
        "hint: did you mean 'theme'?",
        f"chroot-tool: {path}:3: key 'f11' can't be bound: {key_names.REFUSED['f11']} (app.quit)",
        "hint: write another key",
    ]


def test_reading_settings_loads_no_ui(file: Path) -> None:
    written(file, "theme = 'nord'\ncolumns = ['name']\nkeys.app.quit = 'Q'\n")
    program = "import sys, chroot_tool.app.settings.file as s; s.load(); print(*sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program], capture_output=True, text=True, check=True
    )
    assert not {"textual", "rich", "tomlkit", "asyncio"} & set(done.stdout.split())


@pytest.mark.parametrize(
    ("before", "after"),
    [
        ("", 'theme = "nord"\n'),
        ("# mine\n", '# mine\ntheme = "nord"\n'),
        ("base = '/x'  # why", "base = '/x'  # why\ntheme = \"nord\"\n"),
        ("theme  =  'dark'   # me\nbase='/x'\n", "theme  =  \"nord\"   # me\nbase='/x'\n"),
        ("base='/x' # why\r\n\r\n# about keys\r\n[keys]\r\napp.quit = 'Q'\r\n",
         "base='/x' # why\r\ntheme = \"nord\"\r\n\r\n# about keys\r\n[keys]\r\napp.quit = 'Q'\r\n"),
        ("# mine\n\n# about keys\n[keys]\napp.quit = 'Q'",
         "# mine\n\ntheme = \"nord\"\n\n# about keys\n[keys]\napp.quit = 'Q'"),
        ("columns = [ # many\n 'name', # one\n]\n[confirm]\nquit=true",
         "columns = [ # many\n 'name', # one\n]\ntheme = \"nord\"\n[confirm]\nquit=true"),
        ("keys.app.quit = 'Q'", "keys.app.quit = 'Q'\ntheme = \"nord\"\n"),
    ],
)  # fmt: skip
def test_saving_changes_one_line(file: Path, before: str, after: str) -> None:
    written(file, before).write_bytes(before.encode())
    save({"theme": "nord"})
    assert file.read_bytes().decode() == after


COMMENTS = st.text(st.characters(codec="utf-8", exclude_categories=["Cc", "Cs"]), max_size=8)


@given(
    st.lists(st.sampled_from(["base = '/x'", "columns = [\n'name']", "theme = 'dark'"]),
             unique=True),
    st.lists(st.sampled_from(["[confirm]\nquit = true", "[keys]\napp.quit = 'Q'",
                              "[keys.pane]\n1 = 'f1'"]), unique=True),
    COMMENTS, st.sampled_from(["\n", "\r\n"]), st.booleans(),
)  # fmt: skip
def test_saving_loses_nothing(
    tmp_path_factory: pytest.TempPathFactory,
    top: list[str], tables: list[str], comment: str, end: str, last: bool,
) -> None:  # fmt: skip
    lines = f"\n# {comment}\n".join([*top, *tables]).split("\n")
    text = end.join(lines) + (end if last else "")
    try:
        before = parse(text.encode(), "s.toml")
    except ConfigError:  # [keys.pane] before [keys] is fine, two of them are not: TOML's business
        return
    folder = tmp_path_factory.mktemp("config")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CONFIG_HOME", str(folder))
        file = written(Path(settings_file()), "")
        file.write_bytes(text.encode())
        save({"theme": "nord"})
        after = file.read_bytes().decode()
        assert load() == before.replace(theme="nord")
    end = end if end in text else "\n"
    kept = [line for line in text.split(end) if not line.startswith("theme")]
    left = [line for line in after.split(end) if not line.startswith("theme")]
    assert [line for line in left if line] == [line for line in kept if line]


def test_a_file_is_made_for_the_user_alone(file: Path) -> None:
    save({"theme": "light"})
    assert file.read_text() == header("settings").decode() + 'theme = "light"\n'
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert os.listdir(file.parent) == [file.name]


def test_a_link_stays_a_link_and_the_mode_is_kept(file: Path, tmp_path: Path) -> None:
    real = tmp_path / "dotfiles.toml"
    real.write_text("base = '/x'\n")
    real.chmod(0o640)
    file.parent.mkdir(parents=True)
    file.symlink_to("../../dotfiles.toml")
    save({"theme": "light"})
    assert file.is_symlink()
    assert real.read_text() == "base = '/x'\ntheme = \"light\"\n"
    assert stat.S_IMODE(real.stat().st_mode) == 0o640


@pytest.mark.parametrize(
    ("old", "changes"), [("them = 'x'", {"theme": "dark"}), ("", {"theme": "drak"})]
)
def test_what_is_wrong_is_not_written(file: Path, old: str, changes: dict[str, object]) -> None:
    written(file, old)
    with pytest.raises(ConfigError):
        save(changes)
    assert file.read_text() == old


def test_what_cannot_be_read_or_written_is_an_error(file: Path) -> None:
    file.mkdir(parents=True)
    for call in (load, lambda: save({"theme": "dark"})):
        with pytest.raises(ChrootError, match="Is a directory"):
            call()


def test_the_document_names_everything_that_can_be_set() -> None:
    text = (CHECKOUT / "docs/settings.md").read_text()
    example = text.partition("```toml\n")[2].partition("```")[0]
    assert parse(example.encode(), "settings.md") == Settings()
    commented = re.findall(r"^# (\w+ = \S+)", example, re.MULTILINE)
    given = parse("\n".join(commented).encode(), "settings.md")
    assert given == Settings(theme="dark", base=DEFAULT_BASE, cache=DIRECTORY)
    assert [name for name in NAMES if f"`{name}`" not in text] == []


def test_the_examples_of_keys_are_good() -> None:
    text = (CHECKOUT / "docs/keys.md").read_text()
    assert parse(text.partition("```toml\n")[2].partition("```")[0].encode(), "keys.md").keys


def test_the_columns_are_those_of_the_table() -> None:
    assert chroot_columns.COLUMNS == COLUMNS


def test_a_column_may_have_a_width_of_its_own() -> None:
    given = b'columns = ["name:30", "state"]\nmounts-columns = ["target"]\n'
    settings = parse(given, "settings.toml")
    assert settings.columns == ("name:30", "state")
    assert settings.columns_of["mounts"] == ("target",)
    assert settings.processes_columns == COLUMNS_OF["processes"].ids


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('columns = ["name", "state:wide"]', "expected its width in cells"),
        ('columns = ["name:2"]', "expected its width in cells"),
        ('columns = ["name:9999"]', "expected its width in cells"),
        ('columns = ["name:"]', "expected its width in cells"),
        ('columns = ["name", "name:20"]', "stands there twice"),
        ('mounts-columns = ["state"]', "without 'target'"),
        ('processes-columns = ["pid", "name"]', "'name' is no column"),
    ],
)
def test_what_is_wrong_about_columns(line: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said) as raised:
        parse(line.encode(), "settings.toml")
    assert str(raised.value).startswith("settings.toml:1: ")
