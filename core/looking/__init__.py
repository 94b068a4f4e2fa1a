"""What a chroot is like now: status, many of them at once, and following them."""
