"""Fingerprints of input files, kept with the results."""

import hashlib
import os
from pathlib import Path


def sha256(path: str | os.PathLike[str]) -> str:
    """SHA-256 of a file, in hex; of a folder, over the names and hashes of its files, sorted."""
    source = Path(path)
    if source.is_dir():
        digest = hashlib.sha256()
        for file in sorted(p for p in source.rglob("*") if p.is_file()):
            digest.update(f"{file.relative_to(source).as_posix()}\0{sha256(file)}\n".encode())
        return digest.hexdigest()
    with source.open("rb") as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()
