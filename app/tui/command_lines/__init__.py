"""What keys did, as command lines: put into words, logged, kept over the next start."""
