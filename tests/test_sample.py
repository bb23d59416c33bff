import numpy as np
import pytest
from scipy import ndimage
from scipy.spatial import cKDTree
from scipy.stats import spearmanr

import napari_gluer.sample as package
from napari_gluer.expression import expression
from napari_gluer.sample import SampleTissue, sample_tissue
from napari_gluer.sample.panel import BLANK, NUCLEAR, PANEL
from napari_gluer.sample.profiles import TYPE_OF, load_profiles


@pytest.fixture(scope="module")
def means(tissue: SampleTissue) -> np.ndarray:
    """Mean of every channel over every true mask, (n_cells, n_channels)."""
    index = tissue.truth.obs["label"].to_numpy()
    return np.column_stack(
        [ndimage.mean(plane, tissue.labels, index) for plane in tissue.image.data]
    )


def explained_by_type(values: np.ndarray, types: np.ndarray) -> float:
    """Share of the variance of `values` that lies between types."""
    groups = [values[types == name] for name in np.unique(types)]
    between = sum(len(group) * (group.mean() - values.mean()) ** 2 for group in groups)
    return float(between / ((values - values.mean()) ** 2).sum())


def test_the_image_is_what_the_docstring_says(tissue: SampleTissue) -> None:
    image = tissue.image
    assert image.data.shape == (27, 2048, 2048)
    assert image.data.dtype == np.uint16
    assert image.pixel_size_um == 0.5
    assert image.channels == (NUCLEAR, *(marker.name for marker in PANEL), BLANK)
    assert tissue.labels.dtype == np.int32
    assert tissue.labels.shape == image.spatial_shape


def test_the_same_seed_gives_the_same_bytes_and_another_does_not(tissue: SampleTissue) -> None:
    again, other = sample_tissue(0), sample_tissue(1)
    assert tissue.image.data.tobytes() == again.image.data.tobytes()
    assert tissue.labels.tobytes() == again.labels.tobytes()
    for name in ("reference", "truth"):
        one, two = getattr(tissue, name), getattr(again, name)
        assert one.X.data.tobytes() == two.X.data.tobytes()
        assert one.obs.equals(two.obs)
    assert tissue.labels.tobytes() != other.labels.tobytes()
    assert list(tissue.reference.obs_names) != list(other.reference.obs_names)


def test_labels_and_truth_are_joined_by_label(tissue: SampleTissue) -> None:
    truth = tissue.truth
    assert truth.n_obs >= 2000
    assert np.array_equal(np.unique(tissue.labels), np.arange(truth.n_obs + 1))
    assert np.array_equal(truth.obs["label"], np.arange(1, truth.n_obs + 1))
    assert list(truth.obs_names) == [str(label) for label in truth.obs["label"]]
    x, y = (truth.obsm["spatial"] / tissue.image.pixel_size_um).T.round().astype(int)
    # a cell that a neighbour cuts into a crescent may have its centroid outside itself
    assert (tissue.labels[y, x] == truth.obs["label"]).mean() > 0.99


def test_cells_are_whole_and_of_the_size_of_cells(tissue: SampleTissue) -> None:
    areas = np.bincount(tissue.labels.ravel())[1:]
    diameters = 2 * np.sqrt(np.quantile(areas, [0.05, 0.5, 0.95]) / np.pi)
    assert diameters[0] > 20
    assert 23 < diameters[1] < 30
    assert diameters[2] < 36
    boxes = ndimage.find_objects(tissue.labels)
    pieces = [ndimage.label(tissue.labels[box] == i)[1] for i, box in enumerate(boxes, 1)]
    assert np.mean(np.array(pieces) == 1) > 0.99


def test_no_profile_is_in_both_reference_and_tissue(tissue: SampleTissue) -> None:
    known = set(load_profiles().obs_names)
    reference, used = set(tissue.reference.obs_names), set(tissue.truth.obs["profile"])
    assert not reference & used
    assert reference | used == known


def test_every_type_is_split_in_the_same_proportion(tissue: SampleTissue) -> None:
    in_all = load_profiles().obs["cell_type"].value_counts()
    in_reference = tissue.reference.obs["cell_type"].value_counts()
    assert set(in_all.index) == set(TYPE_OF.values())
    for name, n in in_all.items():
        assert in_reference[name] / n == pytest.approx(0.6, abs=1.5 / n)


def test_a_cell_has_the_type_and_the_transcriptome_of_its_profile(tissue: SampleTissue) -> None:
    profiles = load_profiles()[tissue.truth.obs["profile"].to_list()]
    assert (profiles.obs["cell_type"].to_numpy() == tissue.truth.obs["cell_type"]).all()
    assert (profiles.X != tissue.truth.X).nnz == 0


@pytest.mark.parametrize("table", ["reference", "truth"])
def test_tables_are_read_as_log1p(tissue: SampleTissue, table: str) -> None:
    found = expression(getattr(tissue, table))
    assert (found.kind, found.matrix.shape[1]) == ("log1p", 765)


def test_every_antigen_is_among_the_genes(tissue: SampleTissue) -> None:
    assert {gene for marker in PANEL for gene in marker.genes} <= set(tissue.truth.var_names)


def test_types_are_spatially_organised(tissue: SampleTissue) -> None:
    types = tissue.truth.obs["cell_type"].to_numpy()
    near = cKDTree(tissue.truth.obsm["spatial"]).query(tissue.truth.obsm["spatial"], 7)[1][:, 1:]
    alike = (types[near] == types[:, None]).mean()
    by_chance = np.mean([np.mean(types == name) for name in types])
    assert alike > 1.7 * by_chance
    is_b = types == "B"
    assert (types[near[is_b]] == "B").mean() > 2 * is_b.mean()


def test_intensity_follows_the_gene_of_its_antigen(tissue: SampleTissue, means: np.ndarray) -> None:
    true = tissue.truth.to_df()
    followed = {
        marker.name: spearmanr(means[:, i], np.expm1(true[list(marker.genes)]).mean(axis=1))[0]
        for i, marker in enumerate(PANEL, 1)
    }
    assert min(followed.values()) > 0.3, followed
    assert np.median(list(followed.values())) > 0.6, followed


def test_the_nuclei_lie_inside_the_cells(tissue: SampleTissue) -> None:
    nuclear = tissue.image.channel(NUCLEAR)
    bright = nuclear > np.quantile(nuclear[tissue.labels > 0], 0.7)
    assert (tissue.labels[bright] > 0).mean() > 0.999


def test_the_blank_channel_knows_nothing_of_types(tissue: SampleTissue, means: np.ndarray) -> None:
    types = tissue.truth.obs["cell_type"].to_numpy()
    assert explained_by_type(means[:, -1], types) < 0.02
    assert explained_by_type(means[:, tissue.image.index("CD3")], types) > 0.3


def test_it_says_that_it_is_simulated() -> None:
    assert "SIMULATED" in (sample_tissue.__doc__ or "")
    assert "simulated" in (SampleTissue.__doc__ or "")
    assert "simulated" in (package.__doc__ or "")
