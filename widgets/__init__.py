"""Reusable Textual widgets: values in, messages out. They call no engine and know no screen."""
