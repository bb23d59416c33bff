"""What methods share that open a model file: whether all is there that they need."""

from importlib import metadata
from pathlib import Path

from napari_gluer.errors import InputError


def refuse_missing(package: str, extra: str, name: str, path: str) -> None:
    """Refuse a method whose package is not installed, or whose model file is not there.

    Parameters
    ----------
    package
        Distribution that the method needs.
    extra
        Extra of napari-gluer that installs it.
    name
        The method's, for messages.
    path
        Of the model file.

    Raises
    ------
    InputError
        Saying what to install, or what to give.
    """
    try:
        metadata.version(package)
    except metadata.PackageNotFoundError as error:
        raise InputError(
            f"{name} is not installed. Run pip install 'napari-gluer[{extra}]'."
        ) from error
    if not path:
        raise InputError(
            f"{name} needs a model file: give its path as the method's model. Nothing is "
            "downloaded. Model files can hold code: choose one whose source you trust."
        )
    if not Path(path).is_file():
        raise InputError(f"There is no model file {path} for {name}.")
