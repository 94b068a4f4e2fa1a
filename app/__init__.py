"""The command line and the terminal UI: composition only, no knowledge of the kernel."""
