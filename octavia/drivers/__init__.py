"""Ports to the outside, each with its adapters beside it. A verb says what shall be true afterwards."""
