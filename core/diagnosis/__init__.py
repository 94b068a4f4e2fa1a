"""What would get in the way, of this host or of one chroot: looked at, said, never changed."""
