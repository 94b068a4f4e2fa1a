"""What `--diff` shows of the module `chroot`: in check mode what comes of it, and then nothing."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from support.fleet import Ansible, tiny_archive

pytestmark = [pytest.mark.root, pytest.mark.network, pytest.mark.slow]

CHROOT = "chroot_tool.chroots.chroot"


class Shown:
    """What a run with `--diff` shows of its one task."""

    def __init__(self, said: str) -> None:
        task = said.partition("TASK [")[2].partition("PLAY RECAP")[0].split("\n")[1:]
        lines = [line for line in task if line.strip()]
        self.is_changed = lines.pop().startswith("changed: ")
        self.gone, self.come = (
            [line[1:].strip().rstrip(",") for line in lines if line[0] == sign and line[1] == " "]
            for sign in "-+"
        )
        self.plan = [line for line in lines if line[0] not in " -+@"]
        self.is_empty = not lines


@pytest.fixture
def build1(ansible: Ansible) -> Ansible:
    ansible.hosts.add("build1")
    (ansible.inventory / "10-hosts.yml").write_text(json.dumps({"all": {"hosts": {"build1": {}}}}))
    return ansible


def shown(ansible: Ansible, args: dict[str, Any], *options: str) -> Shown:
    task = {CHROOT: {"path": "deb", **args}}
    play = [{"hosts": "build1", "gather_facts": False, "tasks": [task]}]
    book = ansible.write("play.yml", play)
    return Shown(ansible.ok("ansible-playbook", book, "--diff", *options))


def all_three(ansible: Ansible, **args: Any) -> Shown:
    """Check it, do it, and see that no more is to be done; return what was done."""
    checked = shown(ansible, args, "--check")
    done = shown(ansible, args)
    assert done.is_changed
    assert checked.is_changed
    assert (checked.gone, checked.come) == (done.gone, done.come)
    assert done.plan
    assert checked.plan
    again = shown(ansible, args)
    assert not again.is_changed
    assert again.is_empty
    return done


def test_state_and_binds_before_and_after(
    build1: Ansible, tiny_template: Path, tmp_path: Path
) -> None:
    archive = tiny_archive(tiny_template, tmp_path / "tiny.tar")
    source = tmp_path / "src"
    source.mkdir()
    one = {"target": "/src", "source": str(source), "options": ["ro"]}
    two = {"target": "/mnt", "fs": "tmpfs", "options": ["size=1M"]}
    not_here = {"target": "/no", "source": f"{tmp_path}/no", "optional": True}
    said = f"/src: bind of {source} (private,ro)"

    made = all_three(build1, **{"from": str(archive)}, binds=[one], state="on")
    assert made.gone == ['"binds": []', '"state": "absent"']
    assert made.come == ['"binds": [', f'"{said}"', "]", '"state": "on"']
    assert made.plan[:2] == [f"create deb --from={archive}", f"add the bind {said}"]
    assert f"bind {source} on /src (ro,private)" in made.plan

    # On as it is, nobody mounts what is new.
    added = all_three(build1, binds=[one, two])
    assert added.gone == ['"state": "on"']
    assert added.come == ['"/mnt: tmpfs of none (private,size=1M)"', '"state": "partial"']
    assert added.plan == ["add the bind /mnt: tmpfs of none (private,size=1M)"]
    assert all_three(build1, binds=[one]).come == ['"state": "on"']
    left_out = {"target": "/sys", "ignored": True}
    assert all_three(build1, binds=[one, left_out]).come[-1] == '"/sys: ignored"'
    optional = all_three(build1, binds=[one, left_out, not_here])
    assert optional.gone == []
    assert len(optional.come) == 1
    missing = all_three(build1, binds=[one, left_out, not_here | {"optional": False}])
    assert missing.come[1:] == ['"state": "partial"']
    assert all_three(build1, binds=[one, left_out]).come[-1] == '"state": "on"'

    changed = all_three(build1, binds=[one | {"options": []}, left_out, not_here], state="on")
    assert f'"{said}"' in changed.gone
    assert f'"/src: bind of {source} (private)"' in changed.come
    assert changed.plan[-1] == "remount /src (not ro)"

    off = all_three(build1, state="off")
    assert (off.gone, off.come) == (['"state": "on"'], ['"state": "off"'])
    assert "unmount /src" in off.plan
    gone = all_three(build1, state="absent")
    assert (gone.gone, gone.come) == (['"state": "off"'], ['"state": "absent"'])
