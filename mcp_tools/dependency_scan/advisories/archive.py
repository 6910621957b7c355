"""How many entries a zip archive claims, read from its last bytes before `zipfile` makes an object of each. No state.

Layout: PKWARE's APPNOTE, sections 4.3.14 to 4.3.16.
"""

import io
import struct
from typing import BinaryIO, Final

_END: Final = b"PK\x05\x06"
_END_64: Final = b"PK\x06\x06"
_TAIL: Final = 22 + 0xFFFF  # the record and the longest comment
_BYTES_PER_ENTRY: Final = 2_048
"""More than this for the average entry of the directory is no export: names and extra fields are short."""


def too_many_entries(file: BinaryIO, limit: int) -> bool:
    """Say whether the archive's directory claims more entries, or far more bytes for them, than an export has.

    `zipfile` reads the directory whole and goes by its size, not by the count: so both are bounded.
    """
    size = file.seek(0, io.SEEK_END)
    file.seek(max(size - _TAIL, 0))
    tail = file.read(_TAIL)
    file.seek(0)
    place = tail.rfind(_END)
    if place < 0 or len(tail) < place + 22:
        return False  # no archive: that is for `zipfile` to say
    entries, length = struct.unpack_from("<HI", tail, place + 10)
    place_64 = tail.rfind(_END_64, 0, place)
    if place_64 >= 0 and len(tail) >= place_64 + 56 and (entries == 0xFFFF or length == 0xFFFFFFFF):
        entries, length = struct.unpack_from("<QQ", tail, place_64 + 32)
    smallest = 46  # bytes of a directory entry with an empty name
    return entries > limit or length // smallest > limit * 2 or length > max(entries, 1) * _BYTES_PER_ENTRY
