"""Presets: what is proposed for which environment, and that it can be saved as it is."""

from __future__ import annotations

import pytest

from chroot_tool.core.config import edits
from chroot_tool.core.config.presets import Preset, presets


def found(
    env: dict[str, str] | None = None, *there: str, home: str = "/home/me", cwd: str = "/home/me/p"
) -> dict[str, Preset]:
    all_of_them = presets(env or {}, 1000, home, cwd, there.__contains__)
    return {preset.title: preset for preset in all_of_them}


def sources(preset: Preset) -> list[str]:
    return [bind.source for bind in preset.binds]


def test_all_that_are_promised_are_there() -> None:
    assert list(found()) == [
        "X11", "Wayland", "sound", "GPU", "SSH agent", "home, read-only", "current directory",
    ]  # fmt: skip


def test_x11_brings_the_cookie_where_there_is_one() -> None:
    assert sources(found()["X11"]) == ["/tmp/.X11-unix"]
    assert found()["X11"].env == (("DISPLAY", ":0"),)
    with_cookie = found({"DISPLAY": ":3"}, "/home/me/.Xauthority")["X11"]
    assert sources(with_cookie) == ["/tmp/.X11-unix", "/home/me/.Xauthority"]
    assert with_cookie.binds[1].read_only
    assert with_cookie.env == (("DISPLAY", ":3"), ("XAUTHORITY", "/home/me/.Xauthority"))


def test_wayland_by_name_and_by_path() -> None:
    assert sources(found()["Wayland"]) == ["/run/user/1000/wayland-0"]
    named = found({"WAYLAND_DISPLAY": "wayland-1", "XDG_RUNTIME_DIR": "/r"})["Wayland"]
    assert sources(named) == ["/r/wayland-1"]
    assert sources(found({"WAYLAND_DISPLAY": "/x/sock"})["Wayland"]) == ["/x/sock"]


def test_sound_is_both_servers() -> None:
    assert sources(found()["sound"]) == ["/run/user/1000/pipewire-0", "/run/user/1000/pulse"]
    assert ("PULSE_SERVER", "unix:/run/user/1000/pulse/native") in found()["sound"].env


def test_gpu_nodes_stay_devices() -> None:
    assert sources(found()["GPU"]) == ["/dev/dri"]
    many = found({}, "/dev/kfd", "/dev/nvidia0", "/dev/nvidiactl")["GPU"]
    assert sources(many) == ["/dev/dri", "/dev/kfd", "/dev/nvidia0", "/dev/nvidiactl"]
    assert all("nodev" not in bind.options for bind in many.binds)


def test_ssh_agent_by_variable_else_where_it_is_usually() -> None:
    agent = found({"SSH_AUTH_SOCK": "/tmp/ssh-x/agent.1"})["SSH agent"]
    assert sources(agent) == ["/tmp/ssh-x/agent.1"]
    assert agent.env == (("SSH_AUTH_SOCK", agent.binds[0].target),)
    usual = "/run/user/1000/gnupg/S.gpg-agent.ssh"
    assert sources(found({}, usual)["SSH agent"]) == [usual]


def test_sockets_are_optional_and_files_of_the_user_are_not() -> None:
    by_title = found()
    for title in ("X11", "Wayland", "sound", "GPU", "SSH agent"):
        assert all(bind.optional for bind in by_title[title].binds)
    for title in ("home, read-only", "current directory"):
        assert not any(bind.optional for bind in by_title[title].binds)
    assert by_title["home, read-only"].binds[0].read_only
    assert not by_title["current directory"].binds[0].read_only


@pytest.mark.parametrize(
    ("env", "home", "cwd", "gone"),
    [
        ({}, "/home/me", "/", "current directory"),
        ({}, "/", "/p", "home, read-only"),
        ({"SSH_AUTH_SOCK": "relative"}, "/home/me", "/p", "SSH agent"),
        ({"XDG_RUNTIME_DIR": "rel"}, "/home/me", "/p", "Wayland"),
    ],
)
def test_what_can_be_no_bind_is_not_proposed(
    env: dict[str, str], home: str, cwd: str, gone: str
) -> None:
    assert gone not in found(env, home=home, cwd=cwd)


def test_all_of_them_can_be_saved() -> None:
    changes = [edits.Added(bind) for preset in found().values() for bind in preset.binds]
    after = edits.changed(edits.Files(), changes)
    assert {bind.target for bind in edits.entries(after)} == {
        change.bind.target for change in changes
    }
