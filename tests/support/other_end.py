"""What one at the other end of a connection says first. Imported as `support.other_end`."""

from __future__ import annotations

from chroot_tool.core.remote import contract

HELLO = {
    "event": "hello", "version": "9", "protocol": 1, "oldest": 1, "base": "/b", "root": True,
    "methods": contract.names(),
}  # fmt: skip
