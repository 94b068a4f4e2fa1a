"""The command line: parser, verbs, tables."""
