"""Faults in good files."""

import shutil
from pathlib import Path

import numpy as np

_NASTY = [0, 1, 0x7F, 0x80, 0xFF, 0x7FFF, 0xFFFF, 0x7FFFFFFF, 0xFFFFFFFF, 2**63 - 1]
_WORDS = [b"NaN", b"-1", b"1e308", b"9" * 30, b"", b"null", b"\x00", b"[]", b"inf", b"<", b'"']


def mutated(good: bytes, random: np.random.Generator) -> bytes:
    """`good` with a few faults, mostly one; half of them near the start, where headers are."""
    data = bytearray(good)
    for _ in range(min(6, int(random.geometric(0.6)))):
        if not data:
            break
        early = random.random() < 0.5
        at = int(random.integers(0, min(len(data), 512) if early else len(data)))
        match int(random.integers(0, 7)):
            case 0:
                data[at] ^= 1 << int(random.integers(0, 8))
            case 1:
                data[at : at + 16] = random.bytes(len(data[at : at + 16]))
            case 2:
                width = int(random.choice([2, 4, 8]))
                value = int(_NASTY[random.integers(0, len(_NASTY))]) % 256**width
                data[at : at + width] = value.to_bytes(width, random.choice(["little", "big"]))
            case 3:
                del data[at:]
            case 4:
                del data[at : at + int(random.integers(1, 64))]
            case 5:
                data[at:at] = data[: int(random.integers(1, 64))]
            case 6:
                word = _WORDS[random.integers(0, len(_WORDS))]
                data[at : at + int(random.integers(0, 8))] = word
    return bytes(data)


def mutated_copy(good: Path, place: Path, random: np.random.Generator) -> None:
    """A copy of a file or folder with faults in one file, which now and then is missing."""
    if good.is_file():
        place.write_bytes(mutated(good.read_bytes(), random))
        return
    shutil.copytree(good, place)
    files = sorted(path for path in place.rglob("*") if path.is_file())
    weights = np.array(
        [20.0 if path.suffix == ".json" or "z" in path.name else 1 for path in files]
    )
    victim = files[random.choice(len(files), p=weights / weights.sum())]
    if random.random() < 0.05:
        victim.unlink()
    else:
        victim.write_bytes(mutated(victim.read_bytes(), random))
