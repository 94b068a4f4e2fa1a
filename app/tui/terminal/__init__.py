"""The terminal that the UI stands in: how often and what is written to it, handing it over."""
