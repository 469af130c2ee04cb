"""What this data plane does not offer yet."""

from octavia.domain.graph import Graph
from octavia.domain.refusal import NotOffered


def unrendered(graph: Graph) -> list[NotOffered]:
    return []
