"""What the kernel offers, by its own names: system calls, paths by descriptor, the mount table."""
