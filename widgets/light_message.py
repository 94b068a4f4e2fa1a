"""Messages with fields, without the price of `dataclasses`.

That writes code for each class and compiles it: two dozen of them were 8 ms before the first paint.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, dataclass_transform

from textual.message import Message

if TYPE_CHECKING:
    from typing import Any


@dataclass_transform(eq_default=False)
class Telling(Message):
    """Base of messages that tell something. Subclasses list annotated fields."""

    _fields: ClassVar[tuple[str, ...]] = ()

    def __init_subclass__(cls, **options: Any) -> None:
        super().__init_subclass__(**options)
        cls._fields = (*cls._fields, *cls.__annotations__)

    if not TYPE_CHECKING:  # type checkers know which fields there are

        def __init__(self, *values: object, **named: object) -> None:
            super().__init__()
            self.__dict__.update(zip(self._fields, values, strict=False), **named)
