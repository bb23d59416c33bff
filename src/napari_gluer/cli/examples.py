"""One or two calls of every command, for its help and its page in the documentation."""

import re

EXAMPLES: dict[str, tuple[str, ...]] = {
    "run": (
        "napari-gluer run tissue.ome.tif --reference atlas.h5ad --out results/tissue",
        "napari-gluer run images/*.ome.tif --reference atlas.h5ad --out results --dry-run",
    ),
    "demo": ("napari-gluer demo --out demo-output",),
    "segment": (
        "napari-gluer segment tissue.ome.tif --out labels.ome.tif",
        "napari-gluer segment tissue.ome.tif --out labels.ome.tif --growth.distance 3",
    ),
    "measure": ("napari-gluer measure tissue.ome.tif labels.ome.tif --out cells.h5ad",),
    "assign-spots": ("napari-gluer assign-spots transcripts.csv masks.ome.tif --out cells.h5ad",),
    "mark": ("napari-gluer mark cells.h5ad markers.csv --out marked.h5ad",),
    "select": ("napari-gluer select cells.h5ad selections.csv --out selected.h5ad",),
    "clean": ("napari-gluer clean cells.h5ad --out clean.h5ad --figure fits.png",),
    "subsample": (
        "napari-gluer subsample atlas.h5ad --n-cells 50000 --by cell_type --out small.h5ad",
    ),
    "gene-activity": (
        "napari-gluer gene-activity peaks.h5ad --annotation genes.gtf.gz --out activity.h5ad",
    ),
    "integrate": (
        "napari-gluer integrate clean.h5ad --reference atlas.h5ad --out integrated.h5ad",
        "napari-gluer integrate left.h5ad right.h5ad --reference atlas.h5ad --out integrated",
    ),
    "cluster": ("napari-gluer cluster integrated.h5ad --resolution 0.5 --out clustered.h5ad",),
    "transfer": (
        "napari-gluer transfer integrated.h5ad cell_type --reference atlas.h5ad --out typed.h5ad",
    ),
    "impute": (
        "napari-gluer impute integrated.h5ad CD8A FOXP3 --reference atlas.h5ad --out genes.csv",
    ),
    "paint": (
        "napari-gluer paint cells.h5ad labels.ome.tif CD8A --reference atlas.h5ad --out CD8A.png",
    ),
    "export": ("napari-gluer export integrated.h5ad --reference atlas.h5ad --out imputed.h5ad",),
    "reverse": ("napari-gluer reverse integrated.h5ad CD45 --reference atlas.h5ad --out CD45.csv",),
    "coembed": ("napari-gluer coembed integrated.h5ad --reference atlas.h5ad --out joint.h5ad",),
    "validate": ("napari-gluer validate integrated.h5ad --reference atlas.h5ad --out report.html",),
    "explain": (
        "napari-gluer explain integrated.h5ad 17 --reference atlas.h5ad --column cell_type",
    ),
    "reproduce": ("napari-gluer reproduce integrated.h5ad",),
    "markers": (
        "napari-gluer markers clustered.h5ad cluster --reference atlas.h5ad --out markers.csv",
    ),
    "name-clusters": ("napari-gluer name-clusters cells.h5ad cluster types.csv --out names.csv",),
    "trajectory": (
        "napari-gluer trajectory joint.h5ad --root-group cell_type Progenitor --out ordered.h5ad",
    ),
    "compare-regions": (
        "napari-gluer compare-regions cells.h5ad --regions parts.geojson --by cluster --out tables",
    ),
    "peak-links": (
        "napari-gluer peak-links peaks.h5ad rna.h5ad --annotation genes.gtf.gz --out links.csv",
    ),
    "hand-over": ("napari-gluer hand-over typed.h5ad --labels labels.ome.tif --out cells.geojson",),
}
"""Calls by the name of the command, each in one line."""


def in_lines(call: str, width: int) -> str:
    """`call` as it is typed over several lines of at most `width` letters, broken before flags."""
    lines: list[str] = []
    for part in re.split(r" (?=--)", call):
        longer = f"{lines[-1]} {part}" if lines else part
        if lines and len(longer) + 2 > width:
            lines.append(f"    {part}")
        else:
            lines[-1:] = [longer]
    return " \\\n".join(lines)
