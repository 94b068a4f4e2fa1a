"""What `Engine.run` is asked as words of a command line, for a program of its own, here or not."""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping


def run_words(
    path: str,
    words: tuple[str, ...],
    *more: str,
    user: str = "",
    cwd: str = "",
    env: Mapping[str, str] | None = None,
    config_dir: str | None = None,
) -> tuple[str, ...]:
    """Return the words of the command line for what `Engine.run` is asked, with options *more*.

    Without *words* it is a shell.
    """
    given = ["-d", path, *more]
    for option, value in (("-u", user), ("-w", cwd), ("-c", config_dir)):
        if value:
            given += [option, value]
    for key, value in (env or {}).items():
        given += ["-e", f"{key}={value}"]
    return ("run", *given, "--", *words) if words else ("shell", *given)
