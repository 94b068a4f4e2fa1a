"""The plan is pure: wanted binds and a mount table in, steps out. No test here mounts anything."""

from __future__ import annotations

import pytest

from chroot_tool.core.config.bind import Bind
from chroot_tool.core.errors import ChrootError, Problem
from chroot_tool.core.kernel.mount_table import MountEntry, MountTable, parse_line
from chroot_tool.core.mounts.compare import Wanted, drift, size_bytes
from chroot_tool.core.mounts.plan import plan_off, plan_on
from chroot_tool.core.mounts.steps import MakeTarget, Mount, Remount, SetPropagation, Unmount
from chroot_tool.core.plan import Plan

ROOT = "/srv/deb"


def line(
    ident: int, target: str, *, parent: int = 1, fs: str = "tmpfs", device: str = "0:50",
    root: str = "/", options: str = "rw,relatime", optional: str = "", more: str = "rw",
) -> MountEntry:  # fmt: skip
    tags = f" {optional}" if optional else ""
    text = f"{ident} {parent} {device} {root} {ROOT}{target} {options}{tags} - {fs} none {more}"
    return parse_line(text)


def bind(target: str, *, device: str = "8:1", root: str = "/home", **fields: object) -> Wanted:
    entry = Bind(target, root, **fields)  # type: ignore[arg-type]  # test data
    flags = tuple(word for word in entry.options if word in ("ro", "nosuid"))
    return Wanted(entry, target, device=device, root=root, flags=flags)


def tmpfs(target: str, *options: str) -> Wanted:
    entry = Bind(target, "none", "tmpfs", options)
    flags = tuple(word for word in options if word in ("nosuid", "nodev", "noexec", "ro"))
    return Wanted(entry, target, flags=flags)


HOST = parse_line("1 0 8:1 / / rw - ext4 /dev/a rw")


def plan(wanted: list[Wanted], *entries: MountEntry) -> tuple[object, ...]:
    return plan_on(wanted, MountTable([HOST, *entries]), ROOT).steps


def test_what_is_missing_is_mounted_in_order() -> None:
    wanted = [tmpfs("/run"), bind("/run/journal"), bind("/src").replace(exists=False)]
    assert plan(wanted) == (
        Mount("/run", wanted[0].bind),
        MakeTarget("/run/journal"),
        Mount("/run/journal", wanted[1].bind),
        MakeTarget("/src"),
        Mount("/src", wanted[2].bind),
    )


def test_nothing_is_made_in_a_bind_of_the_host() -> None:
    inner = bind("/src/build").replace(exists=False)
    steps = plan([bind("/src"), inner])
    assert not [step for step in steps if isinstance(step, MakeTarget)]


def test_what_is_there_is_left_alone() -> None:
    wanted = [bind("/src"), tmpfs("/tmp", "nosuid", "size=64M")]
    assert not plan(
        wanted,
        line(10, "/src", fs="ext4", device="8:1", root="/home"),
        line(11, "/tmp", options="rw,nosuid,relatime", more="rw,size=65536k"),
    )


@pytest.mark.parametrize(
    ("device", "root", "reason"),
    [
        ("8:2", "/home", "shows"),
        ("8:1", "/home2", "shows"),
        ("8:1", "/home//deleted", "deleted"),
    ],
)
def test_another_source_is_replaced(device: str, root: str, reason: str) -> None:
    wanted, there = bind("/src"), line(10, "/src", fs="ext4", device=device, root=root)
    assert reason in drift(wanted, there)
    assert plan([wanted], there) == (Unmount("/src", 10), Mount("/src", wanted.bind))


def test_flags_are_mended_without_a_new_mount() -> None:
    wanted = bind("/src", options=("ro",))
    there = line(10, "/src", fs="ext4", device="8:1", root="/home", options="rw,nosuid,relatime")
    assert plan([wanted], there) == (Remount("/src", 10, ("ro",), ("nosuid",)),)
    assert "lacks ro" in drift(wanted, there)


def test_propagation_is_mended() -> None:
    there = line(10, "/src", fs="ext4", device="8:1", root="/home", optional="shared:7")
    assert plan([bind("/src")], there) == (SetPropagation("/src", 10, "private", "shared"),)


def test_a_slave_of_nothing_is_private_and_no_drift() -> None:
    there = line(10, "/src", fs="ext4", device="8:1", root="/home")
    assert not plan([bind("/src", propagation="slave")], there)


@pytest.mark.parametrize(
    ("wanted", "there", "differs"),
    [
        ("64M", "65536k", False),
        ("67108864", "65536k", False),
        ("65537k", "65540k", False),
        ("50%", "65536k", False),
        ("32M", "65536k", True),
    ],
)
def test_a_tmpfs_is_resized_in_place_or_left_alone(wanted: str, there: str, differs: bool) -> None:
    steps = plan([tmpfs("/tmp", f"size={wanted}")], line(10, "/tmp", more=f"rw,size={there}"))
    assert steps == ((Remount("/tmp", 10, super_options=(f"size={wanted}",)),) if differs else ())


@pytest.mark.parametrize(
    ("text", "count"), [("64M", 64 << 20), ("1g", 1 << 30), ("100", 100), ("50%", None), ("", None)]
)
def test_sizes(text: str, count: int | None) -> None:
    assert size_bytes(text) == count


def test_the_hosts_devpts_is_no_new_instance() -> None:
    wanted = Wanted(Bind("/dev/pts", "devpts", "devpts"), "/dev/pts")
    there = line(10, "/dev/pts", fs="devpts", device="0:22")
    assert drift(wanted, there, "0:22")
    assert not drift(wanted, there, "0:23")


def test_of_a_stack_one_is_left() -> None:
    wanted = bind("/src")
    same = {"fs": "ext4", "device": "8:1", "root": "/home"}
    entries = [line(10, "/src", **same), line(11, "/src", parent=10, **same)]  # type: ignore[arg-type]
    assert plan([wanted], *entries) == (Unmount("/src", 11),)


def test_what_stands_on_a_replaced_mount_is_mounted_again() -> None:
    dev = tmpfs("/dev")
    pts = Wanted(Bind("/dev/pts", "devpts", "devpts"), "/dev/pts")
    entries = [
        line(10, "/dev", fs="devtmpfs"),
        line(11, "/dev/pts", parent=10, fs="devpts", device="0:30"),
    ]
    steps = plan([dev, pts], *entries)
    assert steps == (
        Unmount("/dev/pts", 11),
        Unmount("/dev", 10),
        Mount("/dev", dev.bind),
        MakeTarget("/dev/pts"),
        Mount("/dev/pts", pts.bind),
    )


def test_a_tmpfs_is_unmounted_for_another_only_if_it_holds_no_files() -> None:
    there = line(10, "/src")
    host = parse_line("2 1 0:50 / /run rw - tmpfs none rw")
    assert plan([bind("/src")], there)[0] == Unmount("/src", 10, spare_files=True)
    assert plan([bind("/src")], there, host)[0] == Unmount("/src", 10)
    table = MountTable([HOST, there])
    assert plan_off(table, ROOT).steps == (Unmount("/src", 10),)


def test_what_is_foreign_is_never_unmounted_for_a_replacement() -> None:
    entries = [line(10, "/dev", fs="devtmpfs"), line(11, "/dev/mine", parent=10)]
    with pytest.raises(ChrootError, match="/dev/mine"):
        plan([tmpfs("/dev")], *entries)


def test_one_problem_and_nothing_is_planned() -> None:
    bad = bind("/b").replace(problem=Problem("no source", "make it"))
    with pytest.raises(ChrootError, match="no source"):
        plan([bind("/a"), bad])


def test_ignored_and_absent_are_left_out() -> None:
    ignored = bind("/b", ignored=True)
    assert plan([ignored, bind("/c").replace(absent=True)]) == ()


def test_off_unmounts_children_first_and_the_upper_of_a_stack() -> None:
    table = MountTable(
        [
            line(10, "/dev"),
            line(11, "/dev/pts", parent=10),
            line(12, "/dev", parent=10),
            line(20, "2/dev"),  # /srv/deb2
        ]
    )
    order = [step.mount_id for step in plan_off(table, ROOT).steps if isinstance(step, Unmount)]
    assert sorted(order) == [10, 11, 12]
    assert order[-1] == 10


def test_off_leaves_a_mount_at_the_root_itself() -> None:
    assert plan_off(MountTable([line(9, "")]), ROOT) == Plan()
    steps = plan_off(
        MountTable([line(9, ""), line(10, "/tmp", parent=9, device="0:51")]), ROOT
    ).steps
    assert steps == (Unmount("/tmp", 10),)


def test_every_step_says_what_it_does() -> None:
    mount = Bind("/src", "/home", options=("ro",), recursive=True)
    said = [
        step.describe()
        for step in (
            MakeTarget("/src"), MakeTarget("/f", True), Mount("/src", mount),
            Remount("/src", 1, ("ro",), ("nosuid",)), Unmount("/src", 1), Unmount("/src", 1, True),
            Unmount("/src", 1, spare_files=True),
            SetPropagation("/src", 1, "private", "shared"),
        )
    ]  # fmt: skip
    assert said == [
        "make directory /src", "make file /f", "bind /home on /src (rbind,ro,private)",
        "remount /src (ro,not nosuid)", "unmount /src", "unmount /src (lazily)",
        "unmount /src (if it holds no files)", "make /src private",
    ]  # fmt: skip


def test_a_bind_that_the_host_shows_too_is_taken_back_by_a_bind() -> None:
    host = [
        parse_line("1 0 8:1 / / rw,relatime shared:1 - ext4 /dev/a rw"),
        parse_line("2 1 0:5 / /proc rw,nosuid - proc proc rw"),
        parse_line("3 1 8:2 / /home rw - ext4 /dev/b rw"),
        parse_line("4 3 0:9 / /home/over rw - tmpfs none rw"),
    ]
    inside = [
        line(10, "/proc", device="0:5", options="rw,relatime"),
        line(11, "/src", device="8:2", root="/me/src", options="ro,nosuid,noatime"),
        line(12, "/covered", device="8:2", root="/over/x"),
        line(13, "/tmp"),
        line(14, "/peer", device="8:2", root="/me", optional="shared:7"),
        line(15, "/gone", device="8:2", root="/me//deleted"),
        line(16, "/ids", device="8:2", root="/me", options="rw,idmapped"),
        line(17, "/root", device="8:1", root="/"),
    ]
    steps = plan_off(MountTable([*host, *inside]), ROOT).steps
    restored = {s.target: s.restored_by for s in steps if isinstance(s, Unmount) and s.restored_by}
    assert {target: bind.source for target, bind in restored.items()} == {
        "/proc": "/proc", "/src": "/home/me/src", "/root": "/",
    }  # fmt: skip
    assert restored["/src"].options == (
        "ro", "nosuid", "dev", "exec", "symfollow", "diratime", "noatime",
    )  # fmt: skip
    assert restored["/proc"].options[-1] == "relatime"


@pytest.mark.parametrize("host", [[], [parse_line("1 0 8:1 / / rw shared:1 - ext4 /dev/a rw")]])
def test_what_may_lie_on_a_shared_mount_is_made_private_once_more(host: list[MountEntry]) -> None:
    """Without a line for the root we are in a chroot, and nothing tells what that lies on."""
    steps = plan_on([tmpfs("/run")], MountTable(host), ROOT).steps
    assert [step.below_shared for step in steps if isinstance(step, Mount)] == [True]


@pytest.mark.parametrize("how", ["stacked", "nested"])
def test_as_many_mounts_in_each_other_as_somebody_inside_likes(how: str) -> None:
    places = ["/c/st" if how == "stacked" else f"/c{'/n' * depth}" for depth in range(1, 3001)]
    table = MountTable(
        [
            parse_line("1 0 8:1 / / rw - ext4 d rw"),
            *(
                parse_line(f"{number + 1} {number} 0:{number} / {place} rw - tmpfs x rw")
                for number, place in enumerate(places, 1)
            ),
        ]
    )
    steps = plan_off(table, "/c").steps
    assert [step.mount_id for step in steps if isinstance(step, Unmount)] == [*range(3001, 1, -1)]


def test_a_target_as_deep_as_a_link_inside_may_have_it() -> None:
    deep = "/a" * 2000
    table = MountTable([parse_line("1 0 8:1 / / rw - ext4 d rw")])
    steps = plan_on([bind(deep)], table, "/c").steps
    assert [step.target for step in steps] == [deep]


def test_lazily_what_stands_on_a_server_goes_with_it_unless_the_host_would_see_that() -> None:
    lines = [
        "1 0 8:1 / / rw - ext4 d rw",
        "2 1 0:2 / /c/far rw - nfs far:/ rw",
        "3 2 8:1 /mine /c/far/inner rw - ext4 d rw",
        "4 3 0:4 / /c/far/inner/deep rw - tmpfs x rw",
        "5 1 0:5 / /c/tmp rw - tmpfs x rw",
    ]
    table = MountTable(map(parse_line, lines))
    lazily = plan_off(table, "/c", lazy=True).steps
    assert sorted(step.target for step in lazily) == ["/far", "/tmp"]
    whole = ["/far", "/far/inner", "/far/inner/deep", "/tmp"]
    assert sorted(step.target for step in plan_off(table, "/c").steps) == whole
    lines[2] = "3 2 8:1 /mine /c/far/inner rw shared:1 - ext4 d rw"
    table = MountTable(map(parse_line, lines))
    steps = plan_off(table, "/c", lazy=True).steps
    assert sorted(step.target for step in steps if isinstance(step, Unmount)) == whole
