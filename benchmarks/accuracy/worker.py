"""Run one method on one problem, in the method's own environment.

python -m benchmarks.accuracy.worker MODULE FUNCTION INPUTS OUTPUTS SEED
"""

import sys
from importlib import import_module, metadata
from pathlib import Path

from benchmarks.accuracy.exchange import Clock, Inputs


def main(module: str, function: str, inputs: str, outputs: str, seed: str) -> None:
    """Read, run, write outputs and what they cost."""
    methods = import_module(f"benchmarks.accuracy.methods.{module}")
    clock = Clock()
    found = getattr(methods, function)(Inputs.read(Path(inputs)), int(seed), clock)
    found.write(Path(outputs))
    package = getattr(methods, "PACKAGE", "numpy")
    clock.write(Path(outputs), {package: metadata.version(package)})


if __name__ == "__main__":
    main(*sys.argv[1:])
