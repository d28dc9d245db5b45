"""Blocks of Prometheus' storage written directly: hundreds of millions of samples in seconds.

`promtool` reads text, a hundred thousand samples a second. Here chunks are encoded once for all
series that share their arrays of times and values, by identity, and are referred to by each.
Formats: prometheus/prometheus, tsdb/docs/format/index.md and chunks.md, and the XOR encoding of
Pelkonen et al., "Gorilla" (VLDB 2015), in tsdb/chunkenc/xor.go.
"""

from __future__ import annotations

import json
import struct
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from tests.prometheus_server import Written

_SAMPLES_A_CHUNK = 120
_ALL = (1 << 64) - 1

Pairs = tuple[tuple[str, str], ...]


def write_blocks(data: Path, past: Iterable[Written], block_hours: int = 24) -> None:
    """Add the series to the storage folder, a block for every `block_hours` from midnight UTC on."""
    parts: dict[Pairs, list[Written]] = defaultdict(list)
    for one in past:
        parts[_pairs(one)].append(one)
    series = [(pairs, _joined(parts[pairs])) for pairs in sorted(parts)]
    length = block_hours * 3_600
    first = min(int(one.times[0]) for _, one in series if one.times.size) // 86_400 * 86_400
    last = max(int(one.times[-1]) for _, one in series if one.times.size)
    for number, begin in enumerate(range(first, last + 1, length)):
        _write_block(data, f"01H{begin:010d}{number:013d}", series, begin, begin + length)


def _pairs(one: Written) -> Pairs:
    return tuple(
        sorted({"__name__": one.metric, **{key: text for key, text in one.labels.items() if text}}.items())
    )


def _joined(parts: Sequence[Written]) -> Written:
    """The parts of one series, in the order of time."""
    if len(parts) == 1:
        return parts[0]
    times, values = ([getattr(part, name) for part in parts] for name in ("times", "values"))
    return replace(parts[0], times=np.concatenate(times), values=np.concatenate(values))


def _write_block(
    data: Path, name: str, series: Sequence[tuple[Pairs, Written]], begin: int, end: int
) -> None:
    folder = data / name
    (folder / "chunks").mkdir(parents=True)
    chunks, samples, there = _Chunks(), 0, []
    for pairs, one in series:
        meta, count = chunks.of(one.times, one.values, begin, end)
        if count:
            there.append((pairs, meta))
            samples += count
    (folder / "chunks" / "000001").write_bytes(bytes(chunks.file))
    (folder / "index").write_bytes(_index(there))
    stats = {"numSamples": samples, "numSeries": len(there), "numChunks": len(chunks.known)}
    meta_file = {
        "ulid": name,
        "minTime": begin * 1000,
        "maxTime": end * 1000,
        "stats": stats,
        "compaction": {"level": 1, "sources": [name]},
        "version": 1,
    }
    (folder / "meta.json").write_text(json.dumps(meta_file), encoding="utf-8")


@dataclass(slots=True)
class _Chunks:
    """The file of chunks of a block, and what its index says of those of each pair of arrays."""

    file: bytearray = field(default_factory=lambda: bytearray(b"\x85\xbd\x40\xdd\x01\x00\x00\x00"))
    known: dict[tuple[int, int], tuple[bytes, int]] = field(default_factory=dict)

    def of(
        self, times: NDArray[np.int64], values: NDArray[np.float64], begin: int, end: int
    ) -> tuple[bytes, int]:
        """How the index refers to the chunks of a series, and how many samples they have."""
        key = (id(times), id(values))
        if key not in self.known:
            low, high = np.searchsorted(times, (begin, end)).tolist()
            self.known[key] = self._added(times[low:high].tolist(), values[low:high].tolist())
        return self.known[key]

    def _added(self, times: list[int], values: list[float]) -> tuple[bytes, int]:
        starts = range(0, len(times), _SAMPLES_A_CHUNK)
        meta = bytearray(_uvarint(len(starts)))
        until = reference = 0
        for start in starts:
            moments = [moment * 1000 for moment in times[start : start + _SAMPLES_A_CHUNK]]
            chunk = b"\x01" + _xor(moments, values[start : start + _SAMPLES_A_CHUNK])
            place = len(self.file)
            self.file += _uvarint(len(chunk) - 1) + chunk + _checksum(chunk)
            meta += _varint(moments[0]) if start == 0 else _uvarint(moments[0] - until)
            meta += _uvarint(moments[-1] - moments[0])
            meta += _uvarint(place) if start == 0 else _varint(place - reference)
            until, reference = moments[-1], place
        return bytes(meta), len(times)


class _Bits:
    """A row of bits, as one large number."""

    def __init__(self) -> None:
        self.number, self.length = 0, 0

    def add(self, number: int, length: int) -> None:
        """Append the lowest `length` bits of `number`."""
        self.number = self.number << length | number
        self.length += length

    def bytes(self) -> bytes:
        """The bits, filled up with zeros to whole bytes."""
        padding = -self.length % 8
        return (self.number << padding).to_bytes((self.length + padding) // 8, "big")


def _xor(times: Sequence[int], values: Sequence[float]) -> bytes:
    """A chunk of samples, times in milliseconds."""
    raw = [struct.unpack(">Q", struct.pack(">d", value))[0] for value in values]
    head = struct.pack(">H", len(times)) + _varint(times[0]) + struct.pack(">Q", raw[0])
    bits, leading, trailing, delta = _Bits(), -1, 0, 0
    for at in range(1, len(times)):
        step = times[at] - times[at - 1]
        if at == 1:
            for byte in _uvarint(step):
                bits.add(byte, 8)
        else:
            _add_time(bits, step - delta)
        delta = step
        leading, trailing = _add_value(bits, raw[at] ^ raw[at - 1], leading, trailing)
    return head + bits.bytes()


def _add_time(bits: _Bits, change: int) -> None:
    """The change of the step in milliseconds, in as few bits as it needs."""
    if change == 0:
        bits.add(0, 1)
        return
    for prefix, width, size in ((0b10, 2, 14), (0b110, 3, 17), (0b1110, 4, 20)):
        if -(1 << (size - 1)) + 1 <= change <= 1 << (size - 1):
            bits.add(prefix, width)
            bits.add(change & ((1 << size) - 1), size)
            return
    bits.add(0b1111, 4)
    bits.add(change & _ALL, 64)


def _add_value(bits: _Bits, changed: int, leading: int, trailing: int) -> tuple[int, int]:
    """The bits of a value that differ from the one before, reusing the last window where they fit."""
    if changed == 0:
        bits.add(0, 1)
        return leading, trailing
    bits.add(1, 1)
    first = min(31, 64 - changed.bit_length())
    last = (changed & -changed).bit_length() - 1
    if leading >= 0 and first >= leading and last >= trailing:
        bits.add(0, 1)
        bits.add(changed >> trailing, 64 - leading - trailing)
        return leading, trailing
    size = 64 - first - last
    bits.add(1, 1)
    bits.add(first, 5)
    bits.add(size % 64, 6)
    bits.add(changed >> last, size)
    return first, last


def _index(series: Sequence[tuple[Pairs, bytes]]) -> bytes:
    """The index of a block: symbols, series, postings, their offsets, and where each of these begins."""
    out = bytearray(b"\xba\xaa\xd7\x00\x02")
    symbols = sorted({text for pairs, _ in series for pair in pairs for text in pair} | {""})
    numbers = {symbol: _uvarint(number) for number, symbol in enumerate(symbols)}
    at_symbols = len(out)
    out += _section(struct.pack(">I", len(symbols)) + b"".join(_text(symbol) for symbol in symbols))
    at_series = len(out)
    postings: dict[tuple[str, str], list[int]] = defaultdict(list)
    for pairs, meta in series:
        out += bytes(-len(out) % 16)
        reference = len(out) // 16
        body = b"".join((_uvarint(len(pairs)), *(numbers[text] for pair in pairs for text in pair), meta))
        out += _uvarint(len(body)) + body + _checksum(body)
        postings["", ""].append(reference)
        for pair in pairs:
            postings[pair].append(reference)
    out += bytes(-len(out) % 4)
    at_postings, offsets = len(out), bytearray(struct.pack(">I", len(postings)))
    for name, value in sorted(postings):
        references = postings[name, value]
        offsets += b"\x02" + _text(name) + _text(value) + _uvarint(len(out))
        out += _section(struct.pack(f">{len(references) + 1}I", len(references), *references))
    at_labels = len(out)
    out += _section(struct.pack(">I", 0))
    at_offsets = len(out)
    out += _section(bytes(offsets))
    places = struct.pack(">6Q", at_symbols, at_series, at_labels, at_labels, at_postings, at_offsets)
    return bytes(out + places + _checksum(places))


def _section(body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + body + _checksum(body)


def _text(text: str) -> bytes:
    encoded = text.encode()
    return _uvarint(len(encoded)) + encoded


def _uvarint(number: int) -> bytes:
    out = bytearray()
    while number >= 0x80:
        out.append(number & 0x7F | 0x80)
        number >>= 7
    out.append(number)
    return bytes(out)


def _varint(number: int) -> bytes:
    return _uvarint(number << 1 if number >= 0 else (-number << 1) - 1)


def _castagnoli() -> Iterator[int]:
    for byte in range(256):
        for _ in range(8):
            byte = byte >> 1 ^ (0x82F63B78 if byte & 1 else 0)  # noqa: PLW2901 - the division itself
        yield byte


_TABLE = tuple(_castagnoli())


def _checksum(body: bytes) -> bytes:
    """CRC-32C, big endian."""
    crc, table = 0xFFFFFFFF, _TABLE
    for byte in body:
        crc = table[(crc ^ byte) & 0xFF] ^ crc >> 8
    return struct.pack(">I", crc ^ 0xFFFFFFFF)
