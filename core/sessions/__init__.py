"""Throw-away sessions: an overlay on a chroot's tree, in namespaces that end with one process.

What a session needs is kept by the kernel alone, for as long as one process lives: `first_process`
is that one, the first of a pid namespace, and the kernel ends every other of them with it. It makes
the mount namespace and in it the root (`overlay`), and ends with the process that started it,
whatever happens to that one. `session` is the side of the one who starts it.
"""
