"""What this machine can do: processes, namespaces, links, TLS. No policy: those above decide."""
