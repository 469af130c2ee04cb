"""Heartbeats in; operating statuses, statistics and rings out."""
