"""HTTP: the Load Balancer API v2, the operators' part of it, and as much of the Network API as its clients ask for."""
