"""Text and buffers to values: the receiving half of the codec.

A decoded value has exactly the type of its tag, never a subclass that a student wrote.
What cannot be read ends in a `ProtocolError`, whatever is wrong with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence, Set
from typing import Any

from nbproctor.protocol import arrays, scalars, whole
from nbproctor.protocol.frames import Frame, ProtocolError
from nbproctor.protocol.limits import (
    MAX_BITS,
    MAX_COMMAS,
    MAX_DEPTH,
    MAX_NUMBERS,
    MAX_PARTS,
    MAX_RANGE,
    NUMBERS,
    PLAIN,
)
from nbproctor.protocol.namedtuples import are_names, student_tuple
from nbproctor.protocol.received import Received, Resolve, count_of
from nbproctor.protocol.sent import Mutable, Ref
from nbproctor.protocol.sharing import Decoded
from nbproctor.protocol.tags import Tag
from nbproctor.protocol.text import read

MAX_CLASSES = 20  # of named tuples in a message
_JSON = PLAIN | {int}
_FEW = 8  # fields that are as quick looked at one by one


def _refuse(ref: Ref) -> Any:
    raise ProtocolError(f"a reference ({ref.tag}) is not expected here")


class _Decoder(Received):
    """Makes values of what JSON held; a node is a list of a tag and its fields."""

    shared = False
    classes: Set[tuple[str, tuple[str, ...]]] = frozenset()  # of named tuples

    def value(self, x: Any, depth: int) -> Any:
        """Read a value."""
        kind = type(x)
        if kind in _JSON:
            return x
        if kind is not list or not x or type(x[0]) is not str or depth > MAX_DEPTH:
            raise ProtocolError("a value has no tag, or is nested too deep")
        read = _READERS.get(x[0])
        if read is None:
            raise ProtocolError(f"a value has an unknown tag {x[0][:20]!r}")
        return read(self, x, depth + 1)

    def fields(self, node: list[Any], depth: int, start: int = 1) -> list[Any]:
        """Read the fields of a node from `start` on."""
        items = node[start:]
        if len(items) > _FEW and _JSON.issuperset(map(type, items)):
            return items
        for place, x in enumerate(items):
            if type(x) not in _JSON:
                items[place] = self.value(x, depth)
        return items

    # --- mutable parts --------------------------------------------------------------

    def list_(self, node: list[Any], depth: int) -> list[Any]:
        number = self.begin()
        part: list[Any] = self.end(number, self.fields(node, depth))
        return part

    def list_of_numbers(self, node: list[Any], depth: int) -> list[Any]:
        dtype, count = _expect(node, str, int)
        if dtype not in NUMBERS or not count >= 0:
            raise ProtocolError("a list of numbers has no length or an unknown dtype")
        self.numbers += count
        if self.numbers > MAX_NUMBERS:
            raise ProtocolError(f"lists hold more than {MAX_NUMBERS:,} numbers")
        raw = self.take(8 * count)
        part: list[Any] = self.end(self.begin(), raw.cast(NUMBERS[dtype]).tolist())
        return part

    def dict_(self, node: list[Any], depth: int) -> dict[Any, Any]:
        if not len(node) % 2:
            raise ProtocolError("a dictionary has a key without a value")
        number = self.begin()
        items = self.fields(node, depth)
        keys = items[::2]
        self.check_keys(keys)
        part: dict[Any, Any] = dict(zip(keys, items[1::2], strict=True))
        self.end(number, part)
        return part

    def set_(self, node: list[Any], depth: int) -> set[Any]:
        number = self.begin()
        part: set[Any] = self.end(number, set(self.hashed(node, depth)))
        return part

    def again(self, node: list[Any], depth: int) -> Mutable:
        self.shared = True
        number = count_of(node[1:])
        if number >= len(self.seen):
            raise ProtocolError("a message names a part that does not exist")
        part, _ = self.seen[number]
        if part is None:
            raise ProtocolError("a value contains itself")
        return part

    def of_request(self, node: list[Any], depth: int) -> Mutable:
        self.shared = True
        number = count_of(node[1:])
        if number >= len(self.request):
            raise ProtocolError("a message names a part that the request has not")
        return self.request[number]

    # --- values that cannot change --------------------------------------------------

    def tuple_(self, node: list[Any], depth: int) -> tuple[Any, ...]:
        return tuple(self.fields(node, depth))

    def frozenset_(self, node: list[Any], depth: int) -> frozenset[Any]:
        return frozenset(self.hashed(node, depth))

    def bytes_(self, node: list[Any], depth: int) -> bytes:
        return bytes(self.take(count_of(node[1:])))

    def integer(self, node: list[Any], depth: int) -> int:
        (digits,) = _expect(node, str)
        if len(digits) > MAX_BITS // 4 + 3:  # hexadecimal digits, and "-0x"
            raise ProtocolError("an integer is too long")
        return int(digits, 16)

    def complex_(self, node: list[Any], depth: int) -> complex:
        return complex(*_expect(node, float, float))

    def slice_(self, node: list[Any], depth: int) -> slice:
        start, stop, step = self.fields(node, depth)
        return slice(start, stop, step)

    def range_(self, node: list[Any], depth: int) -> range:
        start, stop, step = self.fields(node, depth)
        if not all(type(x) is int for x in (start, stop, step)):
            raise ProtocolError("a range is not made of integers")
        numbers = range(start, stop, step)
        if numbers[MAX_RANGE - self.length :]:
            raise ProtocolError("ranges are too long")
        self.length += len(numbers)
        return numbers

    def ellipsis_(self, node: list[Any], depth: int) -> Any:
        _expect(node)
        return ...

    def scalar(self, node: list[Any], depth: int) -> Any:
        kind, *fields = self.fields(node, depth)
        return scalars.build(kind, *fields)

    def named_tuple(self, node: list[Any], depth: int) -> Any:
        number, title, names = _expect(node[:4], int, str, list)
        class_key = title, tuple(names)
        if not are_names(class_key[1]):
            raise ProtocolError("a named tuple has impossible names")
        self.classes |= {class_key}
        if len(self.classes) > MAX_CLASSES:
            raise ProtocolError("a message has too many kinds of named tuples")
        return student_tuple(number, *class_key, self.fields(node, depth, 4))

    def error_class(self, node: list[Any], depth: int) -> Any:
        fields = _expect(node[:4], int, str, str)
        return self.resolve(Ref(node[0], (*fields, *self.fields(node, depth, 4))))

    def hashed(self, node: list[Any], depth: int) -> list[Any]:
        keys = self.fields(node, depth)
        self.check_keys(keys)
        return keys

    def ref(self, node: list[Any], depth: int) -> Any:
        return self.resolve(Ref(node[0], tuple(node[1:])))


def _expect(node: list[Any], *kinds: type) -> list[Any]:
    """Return a node's fields if they have exactly these types."""
    fields = node[1:]
    if tuple(map(type, fields)) != kinds:
        raise ProtocolError(f"a value with tag {node[0]!r} cannot be read")
    return fields


_Reader = Callable[[_Decoder, list[Any], int], Any]
_READERS: dict[str, _Reader] = {
    Tag.LIST.value: _Decoder.list_,
    Tag.NUMBERS.value: _Decoder.list_of_numbers,
    Tag.DICT.value: _Decoder.dict_,
    Tag.TUPLE.value: _Decoder.tuple_,
    Tag.SET.value: _Decoder.set_,
    Tag.FROZENSET.value: _Decoder.frozenset_,
    Tag.BYTES.value: _Decoder.bytes_,
    Tag.INTEGER.value: _Decoder.integer,
    Tag.COMPLEX.value: _Decoder.complex_,
    Tag.SLICE.value: _Decoder.slice_,
    Tag.RANGE.value: _Decoder.range_,
    Tag.ELLIPSIS.value: _Decoder.ellipsis_,
    Tag.SCALAR.value: _Decoder.scalar,
    Tag.ARRAY.value: arrays.read_array,
    Tag.READ_ONLY.value: arrays.read_array,
    Tag.NUMPY_SCALAR.value: arrays.read_scalar,
    Tag.OBJECTS.value: arrays.read_array,
    Tag.TEXTS.value: arrays.read_array,
    Tag.STRUCTURED.value: arrays.read_array,
    Tag.RECORD.value: arrays.read_record,
    Tag.DTYPE.value: arrays.read_dtype,
    Tag.OF_LIBRARY.value: whole.read,
    Tag.NAMED_TUPLE.value: _Decoder.named_tuple,
    Tag.ERROR_CLASS.value: _Decoder.error_class,
    Tag.STUDENT.value: _Decoder.ref,
    Tag.JUDGE.value: _Decoder.ref,
    Tag.LIBRARY.value: _Decoder.ref,
    Tag.REQUEST.value: _Decoder.of_request,
    Tag.AGAIN.value: _Decoder.again,
}


def decode(
    frame: Frame,
    resolve: Resolve = _refuse,
    *,
    track: bool = False,
    request: Sequence[Mutable] = (),
    libraries: frozenset[str] = frozenset(),
) -> Decoded:
    """Decode a frame.

    Parameters
    ----------
    frame
        As received.
    resolve
        Makes something of a reference.
    track
        Remember the mutable parts, so that `Decoded.changes` can be asked.
    request
        Mutable parts of the request that this frame replies to.
    libraries
        Those whose values may be in it.

    Raises
    ------
    ProtocolError
        Whatever is wrong with the frame.
    """
    raw = memoryview(frame.raw)
    decoder = _Decoder(raw, resolve, track, request, libraries)
    try:
        text = bytes(frame.text)
        if len(text) > MAX_PARTS:
            parts = text.count(b"[") + text.count(b"{")
            if parts > MAX_PARTS or text.count(b",") > MAX_COMMAS:
                raise ProtocolError("a message has too many parts")
        value = decoder.value(read(text), 0)
    except ProtocolError:
        raise
    except (ValueError, TypeError, RecursionError, MemoryError) as error:
        raise ProtocolError(f"a message cannot be read: {error!s:.100}") from error
    if decoder.at != len(raw):
        raise ProtocolError("a message holds more data than it names")
    return Decoded(value, decoder.seen, decoder.shared)
