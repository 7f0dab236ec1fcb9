"""Makes colour profiles, for the tests of pictures in other spaces than sRGB."""

from __future__ import annotations

import struct


def profile(red: tuple[float, float, float], green: tuple[float, float, float], blue: tuple[float, float, float],
            gamma: float) -> bytes:  # fmt: skip
    """Return an ICC profile of three primaries (XYZ under D50) and one gamma."""

    def fixed(*values: float) -> bytes:
        return b"".join(struct.pack(">i", round(value * 65536)) for value in values)

    curve = b"curv\0\0\0\0" + struct.pack(">IH", 1, round(gamma * 256)) + b"\0\0"
    white = (0.9642, 1.0, 0.8249)
    tags = [
        (b"desc", b"desc\0\0\0\0" + struct.pack(">I", 5) + b"ours\0" + b"\0" * 79),
        (b"cprt", b"text\0\0\0\0none"),
        *((name, b"XYZ \0\0\0\0" + fixed(*xyz)) for name, xyz in
          ((b"wtpt", white), (b"rXYZ", red), (b"gXYZ", green), (b"bXYZ", blue))),
        *((name, curve) for name in (b"rTRC", b"gTRC", b"bTRC")),
    ]  # fmt: skip
    table, body, start = b"", b"", 132 + 12 * len(tags)
    for name, content in tags:
        padded = content + b"\0" * (-len(content) % 4)
        table += name + struct.pack(">II", start + len(body), len(padded))
        body += padded
    head = struct.pack(">I", start + len(body)) + b"\0" * 4 + struct.pack(">I", 0x02400000) + b"mntrRGB XYZ "
    head += struct.pack(">6H", 2026, 1, 1, 0, 0, 0) + b"acsp" + b"\0" * 28 + fixed(*white)
    return head.ljust(128, b"\0") + struct.pack(">I", len(tags)) + table + body


WIDE = profile((0.7977, 0.2880, 0.0), (0.1352, 0.7119, 0.0), (0.0313, 0.0001, 0.8249), 1.8)
"""The primaries of ProPhoto RGB: red (200, 20, 20) of sRGB is (133, 55, 26) in it."""
WIDE_RED = (133, 55, 26)
