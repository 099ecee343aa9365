"""Dataset dialects: finding traces in rows, and reading and writing files of them."""

from antidistill.formats.files import sources
from antidistill.formats.found import Change, Found, KeyPath, Place, Row, changes
from antidistill.formats.locate import locate
from antidistill.formats.traces import read, write

__all__ = ["Change", "Found", "KeyPath", "Place", "Row", "changes", "locate", "read", "sources", "write"]
