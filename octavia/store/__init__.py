"""Tables derived from the domain, and the two doors to them: read() and write()."""
