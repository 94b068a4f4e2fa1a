"""The engine: chroots, their configuration, mounts and processes. Knows no UI.

Everything above goes through `chroot_tool.core.engine.Engine`. Nothing is imported here, so that
`chroot-tool run` loads only the modules that are on its way.
"""
