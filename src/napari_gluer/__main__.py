"""``python -m napari_gluer``: the command line."""

import sys

from napari_gluer.cli import main

sys.exit(main())
