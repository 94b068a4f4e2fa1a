"""The terminal UI: the application, its screen, jobs, panels and keys."""
