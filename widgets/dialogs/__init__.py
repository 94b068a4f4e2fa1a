"""The dialogs: modal screens that ask one thing and answer with a value. They do nothing else.

`dialog` is what all of them have; `form`, `field`, `choice_field`, `place_field`, `switch` and
`suggestions` what those with fields have besides, `filtered` those around a table, `typed_proof`
those that delete. `create_plan` and `create_sources` are parts of `create`. The others are a dialog
each.
"""

DIALOGS = "dialogs"
"""The group of workers that are about to show a dialog, or have one shown: keys wait for it."""
