"""Members of an archive: what is let pass, what is refused and how, in whatever pieces it comes."""

from __future__ import annotations

import io
import subprocess
import tarfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from chroot_tool.core.archives.manifest import Manifest, Socket, encode, parse
from chroot_tool.core.archives.members import Members
from chroot_tool.core.errors import ChrootError

DATA = b"x" * 700


def member(name: str, kind: bytes = tarfile.REGTYPE, to: str = "", data: bytes = b"") -> bytes:
    info = tarfile.TarInfo(name)
    info.type, info.linkname, info.size = kind, to, len(data)
    header = info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
    return header + data + bytes(-len(data) % 512)


END = bytes(1024)


def read(stream: bytes, piece: int = 10240) -> Members:
    members = Members("x.tar")
    for at in range(0, len(stream), piece):
        members.feed(stream[at : at + piece])
    members.finish()
    return members


def refusal(*parts: bytes) -> str:
    with pytest.raises(ChrootError) as caught:
        read(b"".join(parts))
    assert "\n" not in caught.value.message
    return caught.value.message


@pytest.mark.parametrize("form", [tarfile.PAX_FORMAT, tarfile.GNU_FORMAT, tarfile.USTAR_FORMAT])
@pytest.mark.parametrize("piece", [1, 511, 512, 513, 1 << 20])
def test_an_honest_one_passes_in_any_form_and_pieces(form: int, piece: int) -> None:
    stream = io.BytesIO()
    long = "d" * 90 + "/" + "f" * 60
    with tarfile.open(fileobj=stream, mode="w", format=form) as tar:
        for name, kind, to in (
            (".", tarfile.DIRTYPE, ""), ("./a", tarfile.REGTYPE, ""), (long, tarfile.REGTYPE, ""),
            ("./hard", tarfile.LNKTYPE, "./a"), ("etc/zone", tarfile.SYMTYPE, "/usr/../../x"),
            ("etc/dir/file", tarfile.REGTYPE, ""), ("null", tarfile.CHRTYPE, ""),
            ("fifo", tarfile.FIFOTYPE, ""),
        ):  # fmt: skip
            info = tarfile.TarInfo(name)
            info.type, info.linkname = kind, to
            info.size = len(DATA) if kind == tarfile.REGTYPE else 0
            tar.addfile(info, io.BytesIO(DATA))
    members = read(stream.getvalue(), piece)
    assert members.count == 8
    assert members.is_over


@pytest.mark.parametrize("form", ["gnu", "posix", "oldgnu", "ustar", "v7"])
def test_what_gnu_tar_writes_passes(tmp_path: Path, form: str) -> None:
    (tmp_path / "in/deep").mkdir(parents=True)
    (tmp_path / "in/deep/file").write_bytes(DATA)
    with (tmp_path / "in/holes").open("wb") as file:
        for place in range(0, 200 << 20, 4 << 20):
            file.seek(place)
            file.write(b"data")
        file.truncate(400 << 20)
    sparse = [] if form in ("ustar", "v7") else ["--sparse"]
    names = ["deep"] if form in ("ustar", "v7") else ["."]
    stream = subprocess.run(
        ["tar", f"--format={form}", *sparse, "-C", tmp_path / "in", "-c", *names],
        check=True, capture_output=True,
    ).stdout  # fmt: skip
    assert read(stream).count == (4 if sparse else 2)


@pytest.mark.parametrize(
    "name", ["/etc/passwd", "//etc/passwd", "../up", "a/../../up", "a/..", ".."]
)
def test_names_that_lead_out(name: str) -> None:
    message = refusal(member("fine"), member(name))
    assert message.startswith(f"x.tar is refused: the member {name} would leave the directory")


@pytest.mark.parametrize("to", ["/etc/shadow", "../../etc/shadow", "link/shadow"])
def test_hard_links_that_lead_out(to: str) -> None:
    message = refusal(member("link", tarfile.SYMTYPE, "/etc"), member("x", tarfile.LNKTYPE, to))
    assert "the member x would leave the directory" in message
    assert to.split("/")[0] in message


@pytest.mark.parametrize("to", ["/etc", "..", "sub", "."])
@pytest.mark.parametrize("name", ["way/file", "./way//file", "way/deep/er", "way/./file"])
def test_members_below_a_link(to: str, name: str) -> None:
    message = refusal(member("sub", tarfile.DIRTYPE), member("./way", tarfile.SYMTYPE, to),
                      member(name, data=b"x"))  # fmt: skip
    assert f"the member {name} would leave the directory" in message
    assert "below the link way" in message


def test_a_link_that_was_replaced_by_a_directory_is_none_any_more() -> None:
    read(member("way", tarfile.SYMTYPE, "/etc") + member("way", tarfile.DIRTYPE)
         + member("way/file") + END)  # fmt: skip


def test_a_link_behind_what_was_seen_before_counts_too() -> None:
    refusal(member("a/b"), member("a/c", tarfile.SYMTYPE, "/"), member("a/b2"),
            member("a", tarfile.SYMTYPE, "/etc"), member("a/b"))  # fmt: skip


def test_a_link_in_place_of_the_directory() -> None:
    assert "in place of the directory" in refusal(member(".", tarfile.SYMTYPE, "/etc"))


@pytest.mark.parametrize("kind", [b"M", b"D", b"N", b"Z", b"A"])
def test_unknown_kinds(kind: bytes) -> None:
    assert "unknown kind" in refusal(member("x", kind))


def test_names_that_no_file_can_have() -> None:
    assert "no file can have that name" in refusal(member("d/" * 2047 + "xx"))
    assert "no file can have that name" in refusal(member(""))


def test_a_header_too_many_bytes_long_is_refused_before_it_is_read() -> None:
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XHDTYPE, 1 << 30
    assert "a header of 1073741824 bytes" in refusal(info.tobuf(tarfile.USTAR_FORMAT))


@pytest.mark.slow
def test_a_manifest_may_be_as_large_as_one_can_be_written() -> None:
    path = "x" * 4000
    least = Manifest(flags=tuple((f"{path}{number}", "d") for number in range(3000)))
    assert len(encode(least)) > 10 << 20  # more than any other header may have
    assert read(encode(least) + member("x") + END).manifest == least
    most = Manifest(flags=tuple((f"{path}{number}", "d") for number in range(20_000)))
    with pytest.raises(ChrootError, match="20000 files with flags"):
        encode(most)
    info = tarfile.TarInfo("x")
    info.type, info.size = tarfile.XGLTYPE, 65 << 20
    assert "a header of 68157440 bytes" in refusal(info.tobuf(tarfile.USTAR_FORMAT))


def test_sizes_beyond_reason() -> None:
    header = bytearray(member("x"))
    header[124:136] = b"\xff" * 12
    header[148:156] = b"%06o\0 " % (sum(header) - sum(header[148:156]) + 256)
    assert "below zero" in refusal(bytes(header))


def test_a_size_or_path_for_all_members_is_refused() -> None:
    for key in ("path", "size", "linkpath"):
        head = tarfile.TarInfo.create_pax_global_header({key: "1"})
        assert "for all members" in refusal(head, member("x"))


@pytest.mark.parametrize("cut", [100, 512, 1000, 1024 + 511])
def test_cut_off(cut: int) -> None:
    whole = member("x", data=DATA)
    with pytest.raises(ChrootError, match="cut off"):
        read((member("first") + whole)[: 512 + cut] if cut != 512 else whole[:512])


def test_an_archive_without_an_end_is_whole() -> None:
    assert read(member("x", data=DATA)).count == 1


def test_nothing_at_all_is_cut_off() -> None:
    with pytest.raises(ChrootError, match="cut off"):
        read(b"")


def test_padding_is_read_over_but_not_without_end() -> None:
    read(member("x") + END + b"rubbish" * 1000)
    members = Members("x.tar")
    members.feed(member("x") + END + bytes(60 << 20))
    with pytest.raises(ChrootError, match="goes on behind its end"):
        members.feed(bytes(5 << 20))


@given(st.integers(0, 1535), st.integers(1, 255))
def test_a_flipped_bit_in_a_header_is_seen(at: int, flip: int) -> None:
    stream = bytearray(member("first") + member("second") + member("third") + END)
    stream[at] ^= flip
    try:
        members = read(bytes(stream))
    except ChrootError:
        return
    # Only the sum's own padding may differ unseen.
    assert members.count == 3
    assert 148 <= at % 512 < 156


@given(st.binary(max_size=2000))
def test_rubbish_is_refused_in_one_line(data: bytes) -> None:
    if len(data) < 512 or data[:512].strip(b"\0"):
        refusal(data)
    else:
        assert read(data).count == 0


# -- the manifest ---------------------------------------------------------------------------------

FULL = Manifest(
    "deb", "Debian GNU/Linux 12 (bookworm)", "bookworm", "amd64", "0.1", "2026-01-01T00:00:00Z",
    ("var/cache/apt", "caf\udce9"), (("etc/x", "i"), ("a\nb", "ad")),
    (Socket("run/\udcff", 0o755, 0, 99, 1_700_000_000_123_456_789),), (("b", "a"),),
)  # fmt: skip


def test_a_manifest_goes_there_and_back() -> None:
    members = read(encode(FULL) + member("x") + END)
    assert members.manifest == FULL
    assert members.count == 1


def test_every_tar_reads_over_it() -> None:
    done = subprocess.run(["tar", "-t"], input=encode(FULL) + member("x") + END,
                          check=True, capture_output=True)  # fmt: skip
    assert (done.stdout, done.stderr) == (b"x\n", b"")


def test_a_comment_of_somebody_elses_is_no_manifest() -> None:
    head = tarfile.TarInfo.create_pax_global_header({"comment": "0123abcd"})
    assert read(head + member("x") + END).manifest is None


@pytest.mark.parametrize(
    "text",
    [
        "", "[]", "{", "1", "null", '{"name": 1}', '{"name": "' + "x" * 2000 + '"}',
        '{"left_out": ["/etc"]}', '{"left_out": ["a/../.."]}', '{"left_out": 3}',
        '{"flags": {"/etc": "i"}}', '{"flags": {"etc": "u"}}', '{"flags": ["etc"]}',
        '{"flags": {"a\\u0000b": "i"}}', '{"sockets": [["../x", 0, 0, 0, 0]]}',
        '{"sockets": [["x", 0, 0, 0]]}', '{"sockets": [["x", -1, 0, 0, 0]]}',
        '{"sockets": [["x", 99999, 0, 0, 0]]}', '{"sockets": [["x", true, 0, 0, 0]]}',
        "[" * 100_000,
    ],
)  # fmt: skip
def test_a_hostile_manifest_is_one_error(text: str) -> None:
    with pytest.raises(ChrootError, match="manifest is wrong"):
        parse("chroot-tool " + text)
