"""What a chroot says of itself: binds, both files, reading, merging and editing them."""
