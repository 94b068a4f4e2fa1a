"""The threads that watch, and the messages that threads post: they never touch a widget."""
