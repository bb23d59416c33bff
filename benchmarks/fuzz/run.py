"""Feed the readers mutated files: only documented errors may come out, soon and in little memory.

    python benchmarks/fuzz/run.py                          # 13,000 files, some minutes
    python benchmarks/fuzz/run.py --files 260 --seed 7

Every file is read in a child process, because a broken HDF5 file can bring its library down. Ends
with status 1 when a file gave anything but pixels, a table or an ``InputError``; took over 5 s; or
more than 1 GB of memory. The files that did are kept, and named.
"""

import argparse
import shutil
import sys
import tempfile
from collections import Counter
from pathlib import Path

import numpy as np
from children import READ, REFUSED, Child
from good_files import FORMATS
from mutations import mutated_copy


def fuzz(files: int, seed: int, only: str, kept: Path) -> int:
    """Read `files` mutated files, shared out among the formats; the number of failures."""
    formats = {name: parts for name, parts in FORMATS.items() if only.lower() in name.lower()}
    failures = 0
    print("| format | files | read | refused | failures | slowest, s |\n|---|---|---|---|---|---|")
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        goods = {}
        for i, (name, (file, make, _)) in enumerate(formats.items()):
            (folder / str(i)).mkdir()
            goods[name] = folder / str(i) / file
            make(goods[name])
        reader = Child()
        for i, (name, good) in enumerate(goods.items()):
            count = files * (i + 1) // len(goods) - files * i // len(goods)
            outcomes, slowest = _one_format(name, good, count, seed, (reader, kept))
            bad = {outcome: n for outcome, n in outcomes.items() if outcome not in (READ, REFUSED)}
            failures += sum(bad.values())
            row = outcomes[READ], outcomes[REFUSED], sum(bad.values()), f"{slowest:.2f}"
            print("|", " | ".join(map(str, (name, count, *row))), "|", flush=True)
            for outcome, n in bad.items():
                print(f"    {n} × {outcome}", file=sys.stderr, flush=True)
        reader.stop()
    return failures


def _one_format(
    name: str, good: Path, count: int, seed: int, tools: tuple[Child, Path]
) -> tuple[Counter[str], float]:
    reader, kept = tools
    outcomes: Counter[str] = Counter()
    slowest = 0.0
    for number in range(count):
        if not reader.alive:
            reader.begin({name: good})
        random = np.random.default_rng([seed, list(FORMATS).index(name), number])
        place = good.parent / f"{number}-{good.name}"
        mutated_copy(good, place, random)
        outcome, seconds = reader.read(name, place)
        outcomes[outcome] += 1
        slowest = max(slowest, seconds)
        if outcome not in (READ, REFUSED) and outcomes[outcome] == 1:
            kept.mkdir(parents=True, exist_ok=True)
            target = kept / f"{name.replace(' ', '-')}-{place.name}"
            place.replace(target)
            print(f"    {target}: {outcome}", file=sys.stderr, flush=True)
        elif place.is_dir():
            shutil.rmtree(place)
        else:
            place.unlink()
    return outcomes, slowest


def main() -> None:
    """Parse the command line and fuzz."""
    parser = argparse.ArgumentParser(description=__doc__.split("\n")[0])
    parser.add_argument("--files", type=int, default=13_000, help="mutated files in all")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--only", default="", help="formats whose name has this in it")
    parser.add_argument("--keep", type=Path, default=Path("build/fuzz"), help="for failing files")
    wanted = parser.parse_args()
    failures = fuzz(wanted.files, wanted.seed, wanted.only, wanted.keep)
    print(f"\n{wanted.files:,} mutated files, seed {wanted.seed}: {failures} failures")
    sys.exit(bool(failures))


if __name__ == "__main__":
    main()
