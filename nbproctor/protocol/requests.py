"""The table of requests: what the judge asks of the student process, and the reverse.

A request is a tuple of its name and its arguments.
"""

from __future__ import annotations

from typing import Any, NamedTuple

from nbproctor.protocol.frames import ProtocolError


class Request(NamedTuple):
    """One request.

    Attributes
    ----------
    meaning
        What the other side does.
    arguments
        Names and types of the arguments; ``object`` is any value.
    """

    meaning: str
    arguments: dict[str, Any]

    def check(self, arguments: list[Any]) -> None:
        """Hold arguments against the table.

        Raises
        ------
        ProtocolError
            They have not the number or the exact types of this request.
        """
        kinds = self.arguments.values()
        fits = len(arguments) == len(kinds)
        for argument, kind in zip(arguments, kinds, strict=False):
            fits = fits and (kind is object or type(argument) is kind)
        if not fits:
            raise ProtocolError("a request has other arguments than it should")


TO_STUDENT = {
    "run": Request(
        "runs a cell and returns its outputs",
        {"source": str, "cell": object, "limits": tuple},
    ),
    "libraries": Request(
        "sends values of these libraries whole, and takes them", {"names": tuple}
    ),
    "begin": Request(
        "forgets all handles but those to keep, and returns the values of global "
        "names, as a dict",
        {"names": tuple, "keep": tuple},
    ),
    "call": Request(
        "calls an object", {"target": object, "args": tuple, "kwargs": dict}
    ),
    "get": Request("gets an attribute", {"target": object, "name": str}),
    "set": Request(
        "sets an attribute", {"target": object, "name": str, "value": object}
    ),
    "delete": Request("deletes an attribute", {"target": object, "name": str}),
    "op": Request("applies a function of `operator`", {"name": str, "arguments": list}),
    "builtin": Request("applies a built-in function", {"name": str, "arguments": list}),
    "copy": Request("copies an object deeply", {"target": object}),
    "array": Request("converts an object to an array", {"target": object}),
    "seed": Request(
        "seeds the global generator of `numpy` or `random`",
        {"module": str, "arguments": list},
    ),
    "stderr": Request("says whether it has written to stderr since the test began", {}),
    "room": Request("says whether a sixteenth of the memory limit is left", {}),
    "lend": Request("defines functions of other exercises", {"functions": dict}),
}

# `number` is that of an object that the test handed over.
TO_JUDGE = {
    "get": Request("gets a public attribute", {"number": int, "name": str}),
    "set": Request(
        "sets a public attribute", {"number": int, "name": str, "value": object}
    ),
    "call": Request("calls an object", {"number": int, "args": tuple, "kwargs": dict}),
    "method": Request(
        "calls a public method",
        {"number": int, "name": str, "args": tuple, "kwargs": dict},
    ),
    "item": Request("gets an item", {"number": int, "key": object}),
    "len": Request("counts the items", {"number": int}),
}
