"""The editor of a chroot's binds: its table, the changes that are not saved yet, its dialogs."""
