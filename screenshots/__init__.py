"""The pictures of README.md and the script that makes them (`./dev screenshots`)."""
