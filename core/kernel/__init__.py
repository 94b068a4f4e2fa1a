"""What the kernel offers, under its own names: system calls, paths by descriptor, the mount table."""
