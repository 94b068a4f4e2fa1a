"""The user's settings: the file, the keys that can be bound, the themes."""
