"""The parts of the main screen that are no tables."""
