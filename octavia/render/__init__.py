"""From a graph to what an amphora is told. Pure: no input or output, the same text for the same wish."""

from octavia.render.documents import document
from octavia.render.offered import unrendered

__all__ = ["document", "unrendered"]
