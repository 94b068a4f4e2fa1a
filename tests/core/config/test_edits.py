"""Changes of bind entries: which file, nothing lost, nothing overwritten, nothing half-way."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from chroot_tool.core.config import edits
from chroot_tool.core.config.bind import CHROOT_TOML, TOOL_CONF, Bind, make
from chroot_tool.core.config.edits import Added, Files, Ignored, Removed, Replaced, changed
from chroot_tool.core.config.schema_line import header
from chroot_tool.core.engine import Engine
from chroot_tool.core.errors import ChangedError, ChrootError, ConfigError, UsageError
from chroot_tool.core.kernel import replace_file
from chroot_tool.core.local_engine import LocalEngine

CONF = b"# mine\n[bind]\n  tgt : /a   src:/s\n\n[exclude]\nvar/x\n"
TOML = b'# head\ndescription = "x"   # why\n\n[[bind]]\ntarget = "/t"  # here\nsource = "/u"\n'


def listed(files: Files, origin: str) -> list[Bind]:
    return [bind for bind in edits.entries(files) if bind.origin == origin]


def entry(files: Files, target: str) -> Bind:
    return [bind for bind in edits.entries(files) if bind.target == target][-1]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    path = tmp_path / "c"
    (path / "chroot.d").mkdir(parents=True)
    return path


@pytest.fixture
def engine(tmp_path: Path) -> Engine:
    return LocalEngine(str(tmp_path))


# -- which file --------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("files", "origin"),
    [
        (Files(), CHROOT_TOML),
        (Files(tool_conf=CONF), TOOL_CONF),
        (Files(tool_conf=b"[exclude]\nx\n"), CHROOT_TOML),
        (Files(chroot_toml=TOML), CHROOT_TOML),
        (Files(CONF, TOML), CHROOT_TOML),
        (Files(CONF, b'description = "no binds"\n'), TOOL_CONF),
    ],
)
def test_a_new_entry_goes_where_binds_are_listed(files: Files, origin: str) -> None:
    after = changed(files, [Added(make("/new", "/src"))])
    assert entry(after, "/new").origin == origin
    other = TOOL_CONF if origin == CHROOT_TOML else CHROOT_TOML
    assert after[other] == files[other]


def test_bytes_that_are_not_utf8_go_to_tool_conf() -> None:
    odd = os.fsdecode(b"/s/\xff")
    after = changed(Files(chroot_toml=TOML), [Added(make("/new", odd))])
    assert after.chroot_toml == TOML
    assert after.tool_conf == b'[bind]\nsrc:"/s/\xff" tgt:/new\n'


def test_an_optional_entry_goes_to_chroot_toml() -> None:
    after = changed(Files(tool_conf=CONF), [Added(make("/new", "/s", optional=True))])
    assert after.tool_conf == CONF
    assert entry(after, "/new").optional


def test_optional_and_not_utf8_fits_nowhere() -> None:
    with pytest.raises(UsageError, match="optional"):
        changed(Files(), [Added(make("/new", os.fsdecode(b"/\xff"), optional=True))])


def test_an_entry_moves_where_its_new_content_has_words() -> None:
    old = entry(Files(CONF, TOML), "/a")
    after = changed(Files(CONF, TOML), [Replaced(old, old.replace(optional=True))])
    assert entry(after, "/a").origin == CHROOT_TOML
    assert listed(after, TOOL_CONF) == []
    back = entry(after, "/a")
    odd = back.replace(source=os.fsdecode(b"/\xfe"), optional=False)
    again = changed(after, [Replaced(back, odd)])
    assert entry(again, "/a").origin == TOOL_CONF
    assert again.chroot_toml == TOML


# -- one after the other ------------------------------------------------------------------------


def test_changes_see_each_other() -> None:
    files = Files(CONF, TOML)
    bind = make("/n", "/n1")
    after = changed(
        files,
        [
            Added(bind), Replaced(bind, make("/m", "/n1")), Removed("/a"),
            Added(make("/a", "/other")), Ignored("/m"), Ignored("/m", ignored=False),
            Removed("/m"), Removed("/a"),
        ],
    )  # fmt: skip
    assert after == Files(CONF.replace(b"  tgt : /a   src:/s\n", b""), TOML)


def test_an_entry_that_is_listed_is_not_added() -> None:
    for target in ("/a", "/t"):
        with pytest.raises(UsageError, match="already"):
            changed(Files(CONF, TOML), [Added(make(target, "/x"))])


def test_a_target_cannot_become_one_that_is_listed() -> None:
    old = entry(Files(CONF, TOML), "/a")
    with pytest.raises(UsageError, match="already"):
        changed(Files(CONF, TOML), [Replaced(old, old.replace(target="/t"))])


def test_an_entry_that_says_something_else_now_is_not_replaced() -> None:
    old = entry(Files(CONF), "/a")
    newer = Files(CONF.replace(b"src:/s", b"src:/z"))
    with pytest.raises(ChangedError):
        changed(newer, [Replaced(old, old.replace(source="/mine"))])


def test_changes_merge_with_those_of_somebody_else() -> None:
    old = entry(Files(CONF), "/a")
    newer = Files(b"# theirs\n" + CONF + b"[bind]\ntgt:/theirs\n")
    after = changed(newer, [Replaced(old, old.replace(source="/mine"))])
    assert {b.target: b.source for b in listed(after, TOOL_CONF)} == {
        "/a": "/mine", "/theirs": "/theirs",
    }  # fmt: skip


@pytest.mark.parametrize(
    "change",
    [
        Removed("/none"), Ignored("/none"), Ignored("/none", ignored=False),
        Replaced(make("/none", "/x"), make("/none", "/y")), Removed("relative"), Removed("/a/.."),
    ],
)  # fmt: skip
def test_what_is_not_listed_cannot_be_changed(change: edits.Change) -> None:
    with pytest.raises(UsageError):
        changed(Files(CONF, TOML), [change])


def test_a_near_target_is_suggested() -> None:
    with pytest.raises(UsageError) as caught:
        changed(Files(b"[bind]\ntgt:/data\n"), [Removed("/date")])
    assert "/data" in caught.value.hint


def test_a_system_point_in_no_file_cannot_be_removed() -> None:
    with pytest.raises(UsageError) as caught:
        changed(Files(CONF), [Removed("/proc")])
    assert "ignore" in caught.value.hint


def test_what_has_errors_is_not_edited() -> None:
    with pytest.raises(ConfigError, match=r"/c/chroot\.d/tool\.conf:2"):
        changed(Files(b"[bind]\nbogus\n", TOML), [Removed("/t")], "/c")


def test_removing_takes_the_entries_of_both_files() -> None:
    files = Files(b"[bind]\ntgt:/t src:/one\ntgt:/t src:/two\n", TOML)
    after = changed(files, [Removed("/t")])
    assert listed(after, TOOL_CONF) == listed(after, CHROOT_TOML) == []


# -- ignore and restore -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "files",
    [Files(), Files(CONF), Files(chroot_toml=TOML), Files(CONF, TOML), Files(CONF[:-1])],
)
@pytest.mark.parametrize("target", ["/sys", "/tmp", "/run/systemd/journal", "/etc/resolv.conf"])
def test_a_system_point_is_left_out_and_comes_back(files: Files, target: str) -> None:
    left_out = changed(files, [Ignored(target)])
    assert entry(left_out, target).ignored
    back = changed(left_out, [Ignored(target, ignored=False)])
    assert Files(back.tool_conf or None, back.chroot_toml or None) == files


@pytest.mark.parametrize(
    "line",
    [b"tgt:/plain", b"tgt:/proc src:/other", b"tgt:/sys opt:ro", b"tgt:/tmp fs:tmpfs opt:size=1M"],
)
def test_an_entry_of_the_users_own_survives_ignore_and_restore(line: bytes) -> None:
    files = Files(b"[bind]\n" + line + b"\n")
    target = listed(files, TOOL_CONF)[0].target
    left_out = changed(files, [Ignored(target)])
    assert left_out.tool_conf == b"[bind]\n" + line + b" ignore:yes\n"
    assert changed(left_out, [Ignored(target, ignored=False)]) == files


def test_the_entry_that_counts_is_the_last_one() -> None:
    files = Files(b"[bind]\ntgt:/a src:/one\ntgt:/a src:/two ignore:yes\n")
    after = changed(files, [Ignored("/a", ignored=False)])
    assert after.tool_conf == b"[bind]\ntgt:/a src:/one\ntgt:/a src:/two\n"


def test_restoring_restores_although_both_files_ignore() -> None:
    files = Files(b"[bind]\ntgt:/sys ignore:yes\n", b'[[bind]]\ntarget = "/sys"\nignore = true\n')
    after = changed(files, [Ignored("/sys", ignored=False)])
    assert listed(after, TOOL_CONF) == listed(after, CHROOT_TOML) == []


def test_ignoring_twice_changes_nothing() -> None:
    once = changed(Files(CONF, TOML), [Ignored("/t"), Ignored("/sys")])
    assert changed(once, [Ignored("/t"), Ignored("/sys")]) == once
    assert changed(Files(CONF), [Ignored("/a", ignored=False)]) == Files(CONF)


# -- the difference -----------------------------------------------------------------------------


def test_the_difference_is_a_unified_one() -> None:
    after = changed(Files(CONF), [Ignored("/a"), Added(make("/o", "/o", optional=True))])
    first = ["+" + header("chroot.toml").decode().rstrip(), "+"] if header("chroot.toml") else []
    assert edits.difference(Files(CONF), after) == (
        "--- chroot.d/tool.conf", "+++ chroot.d/tool.conf", "@@ -1,6 +1,6 @@", " # mine",
        " [bind]", "-  tgt : /a   src:/s", "+  tgt : /a   src:/s ignore:yes", " ", " [exclude]",
        " var/x",
        "--- /dev/null", "+++ chroot.d/chroot.toml", f"@@ -0,0 +1,{3 + len(first)} @@",
        *first, "+[[bind]]", '+target = "/o"', "+optional = true",
    )  # fmt: skip


def test_a_last_line_without_an_end_is_told() -> None:
    lines = edits.difference(Files(b"a"), Files(b"a\n"))
    assert lines[-3:] == ("-a", "\\ No newline at end of file", "+a")
    assert edits.difference(Files(b"a"), Files(b"a")) == ()


def test_the_binds_that_would_result(root: Path, engine: Engine) -> None:
    (root / "chroot.d/tool.conf").write_bytes(CONF)
    binds = engine.binds(str(root)).merged([Added(make("/proc/x", "/x")), Ignored("/sys")])
    found = {bind.target: bind for bind in binds}
    assert found["/sys"].ignored
    assert found["/a"].source == "/s"
    assert [t for t in found if t.startswith("/proc")] == ["/proc", "/proc/x"]
    assert (root / "chroot.d/tool.conf").read_bytes() == CONF


# -- the engine ---------------------------------------------------------------------------------


def test_saving_undoing_and_doing_again(root: Path, engine: Engine) -> None:
    conf, toml = root / "chroot.d/tool.conf", root / "chroot.d/chroot.toml"
    conf.write_bytes(CONF)
    conf.chmod(0o640)
    seen = engine.binds(str(root)).files()
    changes: list[edits.Change] = [Removed("/a"), Added(make("/o", "/o", optional=True))]
    preview = engine.binds(str(root)).difference(changes)
    assert "-  tgt : /a   src:/s" in preview
    assert conf.read_bytes() == CONF
    saved = engine.binds(str(root)).save(changes, seen)
    assert saved.names == ("/chroot.d/tool.conf", "/chroot.d/chroot.toml")
    written = engine.binds(str(root)).files()
    assert written == saved.after
    undone = engine.binds(str(root)).undo(saved)
    assert conf.read_bytes() == CONF
    assert not toml.exists()
    engine.binds(str(root)).undo(undone)
    assert engine.binds(str(root)).files() == written
    assert conf.stat().st_mode & 0o777 == 0o640


def test_a_file_that_somebody_else_changed_is_not_overwritten(root: Path, engine: Engine) -> None:
    conf = root / "chroot.d/tool.conf"
    conf.write_bytes(CONF)
    seen = engine.binds(str(root)).files()
    theirs = CONF + b"[bind]\ntgt:/theirs\n"
    conf.write_bytes(theirs)
    with pytest.raises(ChangedError):
        engine.binds(str(root)).save([Removed("/a")], seen)
    assert conf.read_bytes() == theirs
    merged = engine.binds(str(root)).save([Removed("/a")], engine.binds(str(root)).files())
    assert b"/theirs" in (merged.after.tool_conf or b"")
    conf.write_bytes(theirs)
    with pytest.raises(ChangedError):
        engine.binds(str(root)).undo(merged)
    assert conf.read_bytes() == theirs


def test_a_file_that_appeared_meanwhile_is_not_overwritten(root: Path, engine: Engine) -> None:
    seen = engine.binds(str(root)).files()
    toml = root / "chroot.d/chroot.toml"
    toml.write_bytes(TOML)
    with pytest.raises(ChangedError):
        engine.binds(str(root)).save([Added(make("/n", "/n"))], seen)
    assert toml.read_bytes() == TOML


@pytest.mark.parametrize("conf", [CONF, None])
def test_both_files_or_none(
    root: Path, engine: Engine, monkeypatch: pytest.MonkeyPatch, conf: bytes | None
) -> None:
    """The second write fails as a full disk makes it fail; the first is taken back."""
    path = root / "chroot.d/tool.conf"
    if conf:
        path.write_bytes(conf)
    (root / "chroot.d/chroot.toml").write_bytes(TOML)
    seen = engine.binds(str(root)).files()
    odd = make("/odd", os.fsdecode(b"/\xff"))
    write = replace_file.replace

    def full(parent: int, name: str, data: bytes, mode: int, *, is_synced: bool) -> None:
        if name == "chroot.toml":
            raise OSError(28, "No space left on device")
        write(parent, name, data, mode, is_synced=is_synced)

    monkeypatch.setattr(replace_file, "replace", full)
    with pytest.raises(ChrootError, match=r"chroot\.toml: No space left"):
        engine.binds(str(root)).save([Added(odd), Removed("/t")], seen)
    assert engine.binds(str(root)).files() == seen
    assert sorted(p.name for p in (root / "chroot.d").iterdir()) == sorted(
        ["chroot.toml", *(["tool.conf"] if conf else [])]
    )


def test_the_folder_is_made(tmp_path: Path, engine: Engine) -> None:
    root = tmp_path / "old"
    for name in ("bin/sh", "etc/passwd"):
        (root / name).parent.mkdir(parents=True)
        (root / name).touch()
    engine.binds(str(root)).change(Added(make("/n", "/n")))
    made = (root / "chroot.d/chroot.toml").read_bytes()
    assert made.removeprefix(header("chroot.toml")).lstrip() == b'[[bind]]\ntarget = "/n"\n'


@pytest.mark.parametrize("plant", ["file", "fifo", "loop", "big"])
def test_planted_files_are_an_error(root: Path, engine: Engine, plant: str) -> None:
    path = root / "chroot.d/tool.conf"
    match plant:
        case "file":
            path.mkdir()
        case "fifo":
            os.mkfifo(path)
        case "loop":
            path.symlink_to("tool.conf")
        case _:
            path.write_bytes(b"#" * ((1 << 16) + 1))
    with pytest.raises(ChrootError, match=r"tool\.conf"):
        engine.binds(str(root)).change(Added(make("/n", "/n")))


def test_a_link_is_followed_inside_only(root: Path, engine: Engine, tmp_path: Path) -> None:
    outside = tmp_path / "outside.toml"
    outside.write_bytes(TOML)
    (root / "chroot.d/chroot.toml").symlink_to(outside)
    with pytest.raises(ChrootError):
        engine.binds(str(root)).change(Added(make("/n", "/n")))
    assert outside.read_bytes() == TOML
    inside = root / "etc/binds.toml"
    inside.parent.mkdir()
    inside.write_bytes(TOML)
    (root / "chroot.d/chroot.toml").unlink()
    (root / "chroot.d/chroot.toml").symlink_to("/etc/binds.toml")
    engine.binds(str(root)).change(Added(make("/n", "/n")))
    assert inside.read_bytes().startswith(TOML)
    assert (root / "chroot.d/chroot.toml").is_symlink()


def test_what_only_ignores_is_replaced_as_it_is_shown() -> None:
    files = Files(chroot_toml=b"[[bind]]\ntarget = '/dev/shm'\nignore = true\n")
    shown = make("/dev/shm", "none", "tmpfs", ["nosuid", "nodev"], ignored=True)
    after = changed(files, [Replaced(shown, shown.replace(ignored=False))])
    assert entry(after, "/dev/shm").fs == "tmpfs"
    assert not entry(after, "/dev/shm").ignored
