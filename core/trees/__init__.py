"""Directory trees as a whole: removing and measuring them, never across a mount."""
