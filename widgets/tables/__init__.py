"""Tables of frozen values, and those that the UI has: chroots, mounts, processes.

`table` is the widget; it holds a `row_model` (rows, filter, sort, cursor), a layout of `columns`
and the `painting` of its lines.
"""
