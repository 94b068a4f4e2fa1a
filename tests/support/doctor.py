"""For tests of the doctor's checks: what is looked at, and what was said, in short."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from chroot_tool.core.diagnosis.finding import Finding
from chroot_tool.core.diagnosis.subject import Subject


def of(root: Path, **environment: str) -> Subject:
    """The chroot at *root*, looked at from a terminal that has these variables."""
    return Subject("/nowhere", str(root), environment=environment)


def host(base: Path | str = "/nowhere", **environment: str) -> Subject:
    """This host."""
    return Subject(str(base), environment=environment)


def worst(findings: Iterable[Finding]) -> Finding:
    """The one finding that was said."""
    (one,) = findings
    return one


def said(findings: Iterable[Finding]) -> list[tuple[str, str]]:
    """Severity and text of each."""
    return [(one.severity, one.found) for one in findings]


def bare_root(folder: Path) -> Path:
    """Make what passes for a chroot, of which nothing can be run."""
    root = folder / "bare"
    for name in ("bin", "etc", "chroot.d", "tmp"):
        (root / name).mkdir(parents=True)
    (root / "bin/sh").write_bytes(b"#!")
    (root / "etc/passwd").write_text("root:x:0:0:root:/root:/bin/sh\n")
    return root
