"""What chroot-tool can do here, a file a verb: open, lock, observe, plan, apply, report."""
