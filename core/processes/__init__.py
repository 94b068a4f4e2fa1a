"""Who lives in a chroot, who holds a mount and by what, and ending them."""
