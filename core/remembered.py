"""What was asked before is known: `functools.cache` with a bound, without `functools`.

That module alone brings `collections`, and both together are a tenth of what `run` takes.
"""

from __future__ import annotations

TYPE_CHECKING = False
if TYPE_CHECKING:
    from functools import cache as remembered
else:

    def remembered(function):
        """Make *function*, of what has a hash and always gives the same, remember what it gave."""
        known = {}

        def ask(*key):
            try:
                return known[key]
            except KeyError:
                pass
            found = function(*key)
            if len(known) >= _MOST:
                known.clear()
            known[key] = found
            return found

        return ask


__all__ = ["remembered"]
_MOST = 1024
"""What is asked for are a few things again and again."""
