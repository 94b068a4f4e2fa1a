"""The tags of a chroot: what lists are grouped and filtered by."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..command_lines.command_log import Undo
from ..reasons import busy, of_chosen, unmade
from .action import Action, flow
from .for_each_chosen import to_each

if TYPE_CHECKING:
    from ....core.looking.status import ChrootStatus
    from ..session import Session

    Tags = tuple[str, ...]


@flow
async def edit(session: Session) -> None:
    """Ask for the tags of what is chosen; of several, for those that all have."""
    from ....widgets.dialogs.tags import TagsDialog

    chosen = session.chosen
    if not chosen:
        return
    several = len(chosen) > 1
    common = tuple(tag for tag in chosen[0].tags if all(tag in one.tags for one in chosen))
    about = f"{len(chosen)} chroots{session.hidden}" if several else chosen[0].name
    said = await session.user.ask(TagsDialog(about, common, several=several))
    if said is None:
        return

    def change(one: ChrootStatus) -> None:
        # What somebody else has taken away meanwhile is not put back.
        wished = tuple(tag for tag in said if tag not in common or tag in one.tags)
        others = tuple(tag for tag in one.tags if tag not in common and tag not in said)
        if (wanted := (*wished, *others)) != one.tags:
            _set(session, one, wanted, one.tags)

    now = {one.path: one for one in session.inventory.chroots}
    to_each(session, "tag", [now.get(one.path, one) for one in chosen], change, unmade, busy)


def _set(
    session: Session, one: ChrootStatus, tags: Tags, before: Tags, *, undoes: bool = False
) -> None:
    undo = Undo(
        lambda: (f"the tags of {one.name} are again: {' '.join(before) or 'none'}",),
        lambda: _set(session, one, before, tags, undoes=True),
    )

    def work(_report: object, _cancelled: object) -> str:
        session.engine.set_tags(one.path, tags)
        return " ".join(tags) or "no tags"

    session.start(
        "tag", one.name, one.path, work, words=("tag", "set", *tags, "-d", one.path),
        undo=None if undoes else undo,
    )  # fmt: skip


ACTIONS = (
    Action(
        "environments.tags", "tags", "Words that the list is grouped and filtered by", edit,
        key="L", in_footer=False, why_not=of_chosen(unmade, busy), many=True,
    ),
)  # fmt: skip
