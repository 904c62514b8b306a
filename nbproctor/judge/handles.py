"""The handles that a session has of the student's objects, by number."""

from __future__ import annotations

from typing import Any
from weakref import WeakValueDictionary

from nbproctor.judge.error_classes import ErrorClass, stand_in
from nbproctor.judge.identity import Asks, Library
from nbproctor.judge.proxy import CallableProxy, Proxy
from nbproctor.judge.student_errors import printable
from nbproctor.protocol.frames import ProtocolError
from nbproctor.protocol.objects import class_named


class Handles:
    """One handle an object, so that ``is`` tells what it should.

    Parameters
    ----------
    link
        Who asks the student process.
    """

    def __init__(self, link: Asks) -> None:
        self._link = link
        self._proxies: WeakValueDictionary[int, Proxy] = WeakValueDictionary()
        self._error_classes: dict[int, ErrorClass] = {}

    def numbers(self) -> tuple[int, ...]:
        """Return the numbers of the objects that are still in use."""
        return tuple(self._proxies)

    def forget(self) -> None:
        """Forget the exception classes: no test uses them any more."""
        self._error_classes.clear()

    def proxy(self, number: int, *about: Any) -> Proxy:
        """Return the handle of an object, of what the tag `student` says about it.

        Raises
        ------
        ProtocolError
            That cannot be read.
        """
        known = self._proxies.get(number)
        if known is not None:
            return known
        match about:
            case (str(kind), str(name), bool(calls), str(public), str(relation)):
                proxy_class = CallableProxy if calls else Proxy
                label = printable(f"{kind} {name}".strip())
                library = Library(class_named(public), relation)
                proxy = proxy_class(self._link, number, label, library)
                self._proxies[number] = proxy
                return proxy
        raise ProtocolError("the student's reference cannot be read")

    def error_class(self, number: int, name: str, base: str, *bases: Any) -> ErrorClass:
        """Return the class that stands for one of the student's exceptions."""
        known = self._error_classes.get(number)
        if known is None:
            title = printable(name)
            proxy = self.proxy(number, "type", title, True, "", "")
            known = stand_in(proxy, title, base, bases)
            self._error_classes[number] = known
        return known
