"""Price files a person names: the YAML price sheet, and OpenCost's CSV. Told apart by content."""

from __future__ import annotations

from pathlib import Path

from bot.adapters.price_csv import looks_like_csv, parse_csv
from bot.adapters.price_sheet import parse_sheet
from bot.errors import UserError
from estimators.prices import PriceSheet

_MOST_BYTES = 10_000_000


def read_prices(path: Path) -> PriceSheet:
    """The price sheet in a file. Raises UserError as `parse_prices` does, and for an unreadable file."""
    try:
        with path.open("rb") as file:
            data = file.read(_MOST_BYTES + 1)
    except OSError as error:
        reason = error.strerror or "it cannot be read"
        raise UserError(f"{path}: no prices: {reason}; name a price sheet with --prices FILE") from error
    return parse_prices(data, str(path))


def parse_prices(data: bytes, file: str) -> PriceSheet:
    """The price sheet in the bytes of `file`; it counts as explicit, and its source is the file's name.

    Raises UserError with every problem, a line each, that names file, line, value and way out.
    """
    if len(data) > _MOST_BYTES:
        raise UserError(f"{file}: larger than {_MOST_BYTES:,} bytes, which no price sheet is")
    try:
        content = data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = data.count(b"\n", 0, error.start) + 1
        byte = data[error.start]
        raise UserError(f"{file}:{line}: byte 0x{byte:02x} is not UTF-8; save it as UTF-8") from error
    return parse_csv(content, file) if looks_like_csv(content) else parse_sheet(content, file)
