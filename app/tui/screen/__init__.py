"""The main screen: puts the parts together, has the keys, takes what threads tell."""
