"""The dialogs: modal screens that ask one thing and answer with a value. They do nothing else."""
