"""Completion scripts: static, made of the parser; the tool itself is asked for names alone."""
