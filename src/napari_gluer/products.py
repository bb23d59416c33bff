"""Products of one large matrix with narrow ones: on the processor, or on a GPU where one is."""

import warnings
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from scipy import sparse

from napari_gluer.devices import pick_device

Floats = NDArray[np.floating]

_BLOCK_ROWS = 65_536


class Products:
    """Products of a matrix that stays where they are computed; sparse values stay sparse.

    Those that sum over rows are added up in double precision, block of rows by block of rows.
    On a GPU sums run in another order: there results agree to rounding, not bit by bit.

    Parameters
    ----------
    matrix
        float32 or float64 ``(n, p)``, dense or CSR.
    device
        ``cpu``, ``cuda``, ``mps``, or ``auto`` for a GPU where there is one. MPS has neither double
        precision nor sparse matrices: such a matrix is left on the processor.
    """

    def __init__(self, matrix: Any, device: str = "cpu") -> None:
        self.n_rows, self.n_columns = (int(side) for side in matrix.shape)
        self._dtype = matrix.dtype
        starts = range(0, max(1, self.n_rows), _BLOCK_ROWS)
        rows = [slice(start, start + _BLOCK_ROWS) for start in starts]
        picked = pick_device(device)
        if _by_numpy(picked, matrix):
            self._blocks: list[Any] = [_Here(matrix, part) for part in rows]
        else:
            self._blocks = [_There(matrix[part], picked) for part in rows]
        self.rows = rows

    def times(self, narrow: Floats) -> Floats:
        """Values of every row: matrix @ narrow, ``(n, k)`` in the matrix's precision."""
        right = np.ascontiguousarray(narrow, self._dtype)
        found = [block.times(right) for block in self._blocks]
        return found[0] if len(found) == 1 else np.concatenate(found)

    def transposed_times(self, narrow: Floats) -> NDArray[np.float64]:
        """Transposed matrix @ narrow, float64 ``(p, k)``."""
        total = np.zeros((self.n_columns, narrow.shape[1]))
        for rows, block in zip(self.rows, self._blocks, strict=True):
            total += block.transposed_times(np.ascontiguousarray(narrow[rows], self._dtype))
        return total

    def gram(self) -> NDArray[np.float64]:
        """Transposed matrix @ matrix, float64 ``(p, p)``."""
        total = np.zeros((self.n_columns, self.n_columns))
        for block in self._blocks:
            total += block.gram()
        return total


def _by_numpy(device: torch.device, matrix: Any) -> bool:
    poor = sparse.issparse(matrix) or matrix.dtype == np.float64
    return device.type == "cpu" or (device.type == "mps" and poor)


class _Here:
    """A block of rows on the processor, by NumPy and SciPy; nothing is held twice."""

    def __init__(self, matrix: Any, rows: slice) -> None:
        self._matrix, self._rows = matrix, rows

    @property
    def _block(self) -> Any:
        whole = self._rows.start == 0 and self._rows.stop >= self._matrix.shape[0]
        return self._matrix if whole else self._matrix[self._rows]

    def times(self, right: Floats) -> Floats:
        return np.asarray(self._block @ right)

    def transposed_times(self, right: Floats) -> Floats:
        return np.asarray(self._block.T @ right)

    def gram(self) -> Floats:
        block = self._block
        product = block.T @ block
        return product.toarray() if sparse.issparse(product) else product  # type: ignore[no-any-return]


class _There:
    """A block of rows in the memory of a device, by PyTorch."""

    def __init__(self, block: Any, device: torch.device) -> None:
        self._device = device
        self._matrix = _moved(block, device)
        # a transposed CSR matrix is CSC, which has no product on every device
        self._transposed = (
            _moved(sparse.csr_matrix(block.T), device) if sparse.issparse(block) else self._matrix.T
        )

    def times(self, right: Floats) -> Floats:
        return self._product(self._matrix, right)

    def transposed_times(self, right: Floats) -> Floats:
        return self._product(self._transposed, right)

    def gram(self) -> Floats:
        dense = self._matrix.to_dense()
        return (dense.T @ dense).cpu().numpy()

    def _product(self, left: torch.Tensor, right: Floats) -> Floats:
        moved = torch.from_numpy(right).to(self._device)
        return (left @ moved).cpu().numpy()


def _moved(block: Any, device: torch.device) -> torch.Tensor:
    if not sparse.issparse(block):
        return torch.from_numpy(np.ascontiguousarray(block)).to(device)
    block = block.copy()
    block.sum_duplicates()  # PyTorch wants the columns of a row sorted and each once
    rows, columns, values = (
        torch.from_numpy(np.ascontiguousarray(part))
        for part in (block.indptr, block.indices, block.data)
    )
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", "Sparse CSR tensor support is in beta")
        check = block.nnz > 0  # PyTorch 2.4 takes the columns of nothing for scattered
        moved = torch.sparse_csr_tensor(rows, columns, values, block.shape, check_invariants=check)
        return moved.to(device)
