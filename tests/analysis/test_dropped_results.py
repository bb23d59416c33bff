import numpy as np
from anndata import AnnData

from napari_gluer import slots
from napari_gluer.analysis.trajectory import TrajectoryParams, trajectory


def test_pseudotime_goes_with_the_integration_that_it_is_of() -> None:
    cells = AnnData(np.zeros((40, 1), np.float32))
    cells.obsm["X_gluer"] = np.random.default_rng(0).normal(size=(40, 3)).astype(np.float32)
    cells.uns["gluer"] = {"kind": "log1p"}
    result = trajectory(cells, cells.obs_names[0], params=TrajectoryParams(groups=""))
    slots.drop_results(result)
    assert "pseudotime" not in result.obs
    assert result.uns["gluer"] == {"kind": "log1p"}
    cells.obs["pseudotime"] = 1.0  # somebody's own
    slots.drop_results(cells)
    assert "pseudotime" in cells.obs
