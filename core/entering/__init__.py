"""From here to a command inside: user, environment, terminal, signals, why it failed."""
