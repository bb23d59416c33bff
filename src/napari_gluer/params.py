"""The base of every step's parameters."""

from pydantic import BaseModel, ConfigDict


class Params(BaseModel):
    """Frozen, strict about names, documented in place.

    The form in napari, the command-line flags, the documentation and the stored provenance all
    come from the subclass: bounds from ``Annotated[int, Ge(1)]``, texts from attribute docstrings.
    A choice of methods is a union of `Params`, each with a ``kind: Literal[...]`` of its own.
    """

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)
