"""Whether the administrator allows a bind, and what to say where he does not. Pure.

A source is compared by what it is, device and path in that file system, never by the text that
names it: a link, a `..`, /proc/self/root or another mount of the same leads to the same. A bind
shows a tree; what is mounted below the source is part of it where it is recursive.
"""

from __future__ import annotations

from ..config.bind import COMMAND_LINE, SYSTEM, TOOL_CONF
from ..config.policy import HARMLESS, HOST, PRIVATE, Rule
from ..errors import Refusal

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

    from ..config.bind import Bind
    from ..config.policy import Rules
    from .compare import Source

    Place = Callable[[str], Source]
    """What a path of the policy is now."""
    Tree = tuple[str, str]
    """A device, and a path in that file system."""

DEV = "/dev"


def refusal(
    rules: Rules,
    bind: Bind,
    source: Source | None,
    place: Place,
    devices: Sequence[str],
    files: tuple[str, str],
) -> Refusal | None:
    """Return why *bind* is not allowed, None where it is.

    *source* is what is opened of a bind, None of other types. *devices* are the file systems that
    are a devtmpfs, *files* those of the chroot's configuration. What *place* raises is raised.
    """
    found = _broken(rules, bind, source, place, devices)
    if found is None:
        return None
    what, rule, hint = found
    return Refusal(f"{_line_of(bind, files)}{what}: {rules.file}:{rule.line}: {rule.value}", hint)


def _line_of(bind: Bind, files: tuple[str, str]) -> str:
    if bind.origin == COMMAND_LINE:
        return "command line: "
    file = files[0] if bind.origin == TOOL_CONF else files[1]  # there `dev` stands, too
    return f"{file}:{bind.line}: " if bind.line else ""


def _broken(
    rules: Rules, bind: Bind, source: Source | None, place: Place, devices: Sequence[str]
) -> tuple[str, Rule, str] | None:
    """Return what is wanted, the rule that it breaks, in words, and a hint."""
    if bind.fs == "devtmpfs":
        if _private(rules) is None:
            return None
        return f"the host's /dev is not allowed at {bind.target}", _said_of_dev(rules), (
            "have a private one: leave `dev` out"
            if bind.origin == SYSTEM else "remove the entry"
        )  # fmt: skip
    if bind.origin == SYSTEM:
        return None
    if bind.fs != "bind":
        return _type(rules, bind)
    return _source(rules, bind, source, place, devices) if source else None


def _type(rules: Rules, bind: Bind) -> tuple[str, Rule, str] | None:
    what = f"type {bind.fs} is not allowed at {bind.target}"
    if rules.allow_fs is not None:
        if bind.fs in rules.allow_fs:
            return None
        listed = ", ".join(rules.allow_fs) or "nothing"
        return what, Rule(f"allow_fs has {listed}", rules.fs_line), "remove the entry"
    about = rules.about_sources
    if about is None or bind.fs in HARMLESS:
        return None
    said = f"{about.value}, which another type may get around"
    return what, Rule(said, about.line), f'allow_fs = ["{bind.fs}"] there would allow it'


def _private(rules: Rules) -> Rule | None:
    """Return the rule by which the host's /dev is not to be shown, None where it may be."""
    if rules.allow_dev is not None:
        return rules.allow_dev if rules.allow_dev.value == PRIVATE else None
    return rules.about_sources


def _said_of_dev(rules: Rules) -> Rule:
    rule = _private(rules) or Rule("", 0)
    if rules.allow_dev is not None:
        return Rule(f'allow_dev = "{PRIVATE}"', rule.line)
    return Rule(f'{rule.value}, and no allow_dev = "{HOST}"', rule.line)


def _source(
    rules: Rules, bind: Bind, source: Source, place: Place, devices: Sequence[str]
) -> tuple[str, Rule, str] | None:
    shown = _trees(source, inner=bind.recursive)
    what = f"{bind.source} is not to be bound at {bind.target}"
    if bind.source != source.path:
        what = f"{bind.source}, which is {source.path}, is not to be bound at {bind.target}"
    for rule in rules.deny_sources:
        said = _meets(rule.value, bind, source, shown, place)
        if said:
            return what, Rule(f"deny_sources has {said}", rule.line), "remove the entry"
    if _private(rules) and _shows_devices(rules, source, shown, place, devices):
        return what, _said_of_dev(rules), "name the device in allow_sources there"
    for rule in rules.read_only_sources:
        said = _meets(rule.value, bind, source, shown, place)
        if said and not bind.read_only:
            rule = Rule(f"read_only_sources has {said}", rule.line)
            return what.replace("to be bound", "to be bound writable"), rule, "add the option ro"
        if said and bind.propagation in ("slave", "shared"):
            rule = Rule(f"read_only_sources has {said}", rule.line)
            hint = "leave that out: what is mounted there later would be writable"
            return what.replace("bound", f"bound {bind.propagation}"), rule, hint
    if rules.allow_sources is None:
        return None
    allowed = [tree for rule in rules.allow_sources for tree in _trees(place(rule.value))]
    if all(any(_within(tree, other) for other in allowed) for tree in shown):
        return None
    listed = ", ".join(rule.value for rule in rules.allow_sources) or "nothing"
    return what, Rule(f"allow_sources has {listed}", rules.sources_line), "remove the entry"


def _trees(source: Source, *, inner: bool = True) -> tuple[Tree, ...]:
    return ((source.device, source.root), *(source.inner if inner else ()))


def _within(tree: Tree, other: Tree) -> bool:
    """Tell whether a tree is part of another, or all of it."""
    (device, path), (on, top) = tree, other
    return device == on and (path == top or path.startswith(top.rstrip("/") + "/"))


def _meets(path: str, bind: Bind, source: Source, shown: Iterable[Tree], place: Place) -> str:
    """Return *path*, and how it is concerned, where a bind shows any of it; else ""."""
    rule = place(path)
    trees = _trees(rule)
    if any(_within(tree, other) for tree in shown for other in trees):
        return path
    if any(_within(other, tree) for tree in shown for other in trees):
        return f"{path}, which is in it"
    passed_on = bind.propagation in ("slave", "shared")
    if passed_on and _within(("", rule.path), ("", source.path)):
        return f"{path}, whose mounts would be passed on"
    return ""


def _shows_devices(
    rules: Rules, source: Source, shown: Sequence[Tree], place: Place, devices: Sequence[str]
) -> bool:
    """Tell whether a bind shows anything of the host's /dev that no rule allows by name."""
    everything = _trees(place(DEV))
    tops = (*everything, *((device, "/") for device in devices))
    named = [
        tree
        for rule in rules.allow_sources or ()
        for tree in _trees(place(rule.value))
        if tree not in tops and any(_within(tree, top) for top in tops)
    ]
    return any(
        (_within(tree, top) or _within(top, tree)) and not any(_within(tree, n) for n in named)
        for tree in shown
        for top in tops
    )
