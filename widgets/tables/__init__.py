"""Tables of frozen values, and the three that the UI has."""
