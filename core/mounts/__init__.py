"""From what is wanted and what is mounted to a plan; doing a plan, and taking it back."""
