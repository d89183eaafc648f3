"""Two snapshots in, what differs out: metrics, slices, parameters, data, packages."""
