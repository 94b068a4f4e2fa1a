"""Making a Debian in a directory: options, mirror, back ends, what it needs to be worked in."""
