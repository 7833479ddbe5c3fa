"""Files encrypted as they stream: AES-256-GCM in chunks, under a key that seals one file and nothing else.

The STREAM construction (Hoang, Reyhanitabar, Rogaway and Vizár, https://eprint.iacr.org/2015/189), with the nonce that
age has (https://age-encryption.org/v1): a chunk's place as eleven bytes, and one that says whether it is the last. Each
chunk names what the file is bound to. So a chunk that is altered, moved, left out or of another file does not open, and
a file that was cut off does not end.
"""

import io
from collections.abc import AsyncIterator, Iterator
from typing import BinaryIO

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

KEY_BYTES = 32
CHUNK = 64 * 1024  # bytes
TAG = 16  # bytes that encryption adds to each
SEALED_CHUNK = CHUNK + TAG


class Altered(Exception):
    """What is stored is not what was sealed there."""


class Cipher:
    """Seals and opens the chunks of one file. `bound_to`: what it is good for, and nothing else."""

    def __init__(self, key: bytes, bound_to: bytes) -> None:
        self._gcm, self._bound_to = AESGCM(key), bound_to

    def seal(self, position: int, chunk: bytes, *, last: bool) -> bytes:
        return self._gcm.encrypt(_nonce(position, last), chunk, self._bound_to)

    def open(self, position: int, sealed: bytes, *, last: bool) -> bytes:
        """Raises Altered."""
        try:
            return self._gcm.decrypt(_nonce(position, last), sealed, self._bound_to)
        except InvalidTag as error:
            raise Altered(f"chunk {position} does not open") from error


async def seal(cipher: Cipher, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What comes in pieces of any size, encrypted, a chunk at a time."""
    position = 0
    async for chunk, last in _chunks(pieces, CHUNK):
        yield cipher.seal(position, chunk, last=last)
        position += 1


async def open(cipher: Cipher, pieces: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    """What was sealed, a chunk at a time, each proven before it is given. Raises Altered."""
    position = 0
    async for chunk, last in _chunks(pieces, SEALED_CHUNK):
        yield cipher.open(position, chunk, last=last)
        position += 1


def sealed_size(size: int) -> int:
    """How large a file of so many bytes is once it is encrypted."""
    return size + TAG * _count(size)


class Reader(io.RawIOBase):
    """A sealed file of this machine, read from anywhere in it without opening the rest. Raises Altered."""

    def __init__(self, file: BinaryIO, cipher: Cipher, size: int) -> None:
        super().__init__()
        self._file, self._cipher, self._size, self._at = file, cipher, size, 0
        self._held: tuple[int, bytes] = (-1, b"")
        if file.seek(0, io.SEEK_END) != sealed_size(size):
            raise Altered("it is not as long as what was sealed")

    def readable(self) -> bool:
        return True

    def seekable(self) -> bool:
        return True

    def tell(self) -> int:
        return self._at

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        start = {io.SEEK_SET: 0, io.SEEK_CUR: self._at, io.SEEK_END: self._size}[whence]
        self._at = max(0, start + offset)
        return self._at

    def readinto(self, buffer: memoryview) -> int:  # type: ignore[override]
        if self._at >= self._size:
            return 0
        position, within = divmod(self._at, CHUNK)
        found = self._chunk(position)[within : within + len(buffer)]
        buffer[: len(found)] = found
        self._at += len(found)
        return len(found)

    def _chunk(self, position: int) -> bytes:
        if self._held[0] != position:
            self._file.seek(position * SEALED_CHUNK)
            last = position == _count(self._size) - 1
            self._held = position, self._cipher.open(position, self._file.read(SEALED_CHUNK), last=last)
        return self._held[1]


def _nonce(position: int, last: bool) -> bytes:
    return position.to_bytes(11) + (b"\x01" if last else b"\x00")


def _count(size: int) -> int:
    """Chunks; of an empty file one, which is empty."""
    return max(1, -(-size // CHUNK))


async def _chunks(pieces: AsyncIterator[bytes], size: int) -> AsyncIterator[tuple[bytes, bool]]:
    """(chunk, whether it is the last): a full one is given once more has come, so that the last is known."""
    held = bytearray()
    async for piece in pieces:
        held += piece
        for chunk in _full(held, size):
            yield chunk, False
    yield bytes(held), True


def _full(held: bytearray, size: int) -> Iterator[bytes]:
    """Take full chunks off the front; something stays."""
    while len(held) > size:
        chunk = bytes(held[:size])
        del held[:size]
        yield chunk
