"""What verbs share with each other, and is none itself."""
