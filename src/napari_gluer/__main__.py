"""``python -m napari_gluer``: the command line."""

import sys

from napari_gluer.cli import main

if __name__ == "__main__":
    sys.exit(main())
