"""Engine calls that run beside the UI, each in a thread; the outcome of several told once."""
