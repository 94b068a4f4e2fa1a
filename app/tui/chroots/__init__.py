"""What is known of the chroots: the last look, sizes, trends, what happened to each."""
