"""Which protocols fit together."""

from typing import Final

DATAGRAMS: Final = frozenset({"UDP", "SCTP"})
POOL_PROTOCOLS: Final[dict[str, frozenset[str]]] = {
    "TCP": frozenset({"HTTP", "HTTPS", "PROXY", "PROXYV2", "TCP"}),
    "HTTP": frozenset({"HTTP", "PROXY", "PROXYV2"}),
    "HTTPS": frozenset({"HTTPS", "PROXY", "PROXYV2", "TCP"}),
    "TERMINATED_HTTPS": frozenset({"HTTP", "PROXY", "PROXYV2"}),
    "UDP": frozenset({"UDP"}),
    "SCTP": frozenset({"SCTP"}),
    "PROMETHEUS": frozenset(),
}
"""Listener protocol to the protocols of the pools that it can have."""
