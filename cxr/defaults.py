"""Where the models and the gallery lie that ship with the project."""

from __future__ import annotations

from pathlib import Path

RETRIEVAL = "weights/retrieval"
LOCALIZER = "weights/localizer"
GENERATOR = "weights/generator"
REPORTING = "weights/reporting"
GALLERY = "examples/gallery"
_SHIPPED = (RETRIEVAL, LOCALIZER, GENERATOR, REPORTING, GALLERY)
_CHECKOUT = Path(__file__).resolve().parents[1]


def find_shipped(address: str | Path) -> Path:
    """The folder that an address names, from any working directory for what ships.

    A folder of that name in the working directory comes first; else a shipped one is looked for in
    the checkout that this package runs from.

    Args:
        address: a folder, which need not exist.
    """
    folder = Path(address).expanduser()
    shipped = _CHECKOUT / folder
    if folder.as_posix() in _SHIPPED and not folder.exists() and shipped.is_dir():
        return shipped
    return folder
