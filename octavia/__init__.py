"""Octavia: a load balancer service. An independent implementation of the Load Balancer API v2."""

__version__ = "0.5.0.dev0"
