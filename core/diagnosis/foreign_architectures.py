"""Programs of other architectures: which this kernel can run."""

from __future__ import annotations

from ..creating.options import check_runnable
from ..errors import ChrootError
from ..host import debian
from ..looking.architecture import architecture
from .check import CHROOT, HOST, Check
from .finding import note, ok, problem

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from .finding import Finding
    from .subject import Subject

_BINFMT = "/proc/sys/fs/binfmt_misc"


def binfmt(subject: Subject, directory: str = _BINFMT) -> Iterator[Finding]:
    """Ask whether the chroot's architecture can be run; of the host, which can."""
    own = debian.architecture()
    if not subject.path:
        others = [a for a in debian.QEMU if a != own and not _why_not(a, own, directory)]
        if others:
            yield ok(f"{own}, and {', '.join(others)}")
        else:
            yield note(
                f"only programs of {own} run here",
                "create --arch of another one is refused",
                "apt install qemu-user-static binfmt-support",
            )
        return
    with subject.open() as root:
        arch = architecture(root)
    if not arch:
        yield note("no program inside says what it is built for")
    elif arch not in debian.QEMU and arch != own:
        yield note(f"its programs are {arch}, which nobody here knows more of")
    elif error := _why_not(arch, own, directory):
        yield problem(error.message, "every command inside ends with exec format error", error.hint)
    else:
        how = "as this host" if arch == own else "which this kernel runs"
        yield ok(f"its programs are {arch}, {how}")


def _why_not(arch: str, own: str, directory: str) -> ChrootError | None:
    try:
        check_runnable(arch, own, directory)
    except ChrootError as error:
        return error
    return None


CHECKS = (
    Check("binfmt", "whether the kernel runs programs of the chroot's architecture; of the host, "
          "which foreign ones", binfmt, (HOST, CHROOT)),
)  # fmt: skip
