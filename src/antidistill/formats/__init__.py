"""Dataset dialects: finding traces in rows, and reading and writing files of them."""

from antidistill.formats.found import Change, Found, KeyPath, Place, Row, changes
from antidistill.formats.locate import locate

__all__ = ["Change", "Found", "KeyPath", "Place", "Row", "changes", "locate"]
