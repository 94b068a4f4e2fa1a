"""The engine of another machine, or with another's privilege: JSON lines to a chroot-tool there."""
