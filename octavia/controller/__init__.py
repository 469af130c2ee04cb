"""The reconciler: it visits a cluster until the world looks like the wish."""
