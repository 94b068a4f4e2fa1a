"""How much a session may write: a tmpfs is made of memory."""

from __future__ import annotations

from ..errors import UsageError

_UNITS = {"": 0, "K": 10, "M": 20, "G": 30, "T": 40}
_MOST = 1 << 60


def room(size: str) -> int:
    """Return how many bytes *size* means: `512M`, `4G`, `25%` of the memory; "" is the default.

    That is half of what is free, or could be at once (proc_meminfo(5), MemAvailable): the kernel's
    own default for a tmpfs, half of all memory, can be more than there is. Raises UsageError.
    """
    if not size:
        return _memory(b"MemAvailable:") // 2
    unit = size[-1:].upper()
    digits = size if unit.isdigit() else size[:-1]
    if digits.isascii() and digits.isdigit() and len(digits) < 20:
        if unit == "%" and int(digits) > 100:
            raise UsageError(f"{size} is more than all the memory", "at most 100%, or 512M, 4G")
        if unit == "%":
            count = _memory(b"MemTotal:") * int(digits) // 100
        else:
            shift = _UNITS.get("" if unit.isdigit() else unit, -1)
            count = int(digits) << shift if shift >= 0 else 0
        if 0 < count < _MOST:  # a tmpfs takes 0 for: without a bound
            return count
    raise UsageError(f"{size!r} is no size", "write 512M, 4G or 25% (of the memory)")


def _memory(name: bytes) -> int:
    """Return a line of /proc/meminfo in bytes."""
    with open("/proc/meminfo", "rb") as file:
        for line in file:
            if line.startswith(name):
                return int(line.split()[1]) << 10
    return 1 << 30  # a kernel before 3.14, or a /proc that somebody made
