"""The engine: chroots, their configuration, mounts and processes. Knows no UI.

Whatever is asked of chroots, or done with them, goes through `chroot_tool.core.engine.Engine`:
nobody above imports a verb. Values, errors, and what reads and says them are imported as they are.
Nothing is imported here, so that `chroot-tool run` loads only the modules that are on its way.
"""
