"""One section a job: ``python on_cluster.py 3`` runs the third image of a folder.

As an array job: ``sbatch --array=1-40 --wrap 'python on_cluster.py $SLURM_ARRAY_TASK_ID'``.
"""

import sys
from pathlib import Path

import numpy as np
import tifffile

import napari_gluer as ng

out = Path("on_cluster")
images, results = out / "images", out / "results"

# Stands for your files: two pieces of the simulated tissue, and its reference.
if not images.exists():
    tissue = ng.sample_tissue(seed=0)
    ng.write_cells(tissue.reference, out / "reference.h5ad")
    images.mkdir(parents=True)
    for name, part in {"left": slice(500, 900), "right": slice(900, 1300)}.items():
        channels = {"Channel": {"Name": list(tissue.image.channels)}, "axes": "CYX"}
        pixels = np.asarray(tissue.image.data[:, 700:1100, part])
        tifffile.imwrite(images / f"{name}.ome.tif", pixels, ome=True, metadata=channels)

# Jobs are told apart by one number, from 1. Sorted, because a folder has no order of its own.
number = int(sys.argv[1]) if len(sys.argv) > 1 else 1
image = sorted(images.iterdir())[number - 1]
params = ng.PipelineParams(segment={"growth": {"kind": "expansion", "distance": 6}})

# Writes results/<name of the image>. A job that is started again skips what is finished.
(outcome,) = ng.run_many([ng.Inputs(image, out / "reference.h5ad")], results, params, seed=0)
print(outcome.text)
sys.exit(0 if outcome.status != "failed" else 1)
