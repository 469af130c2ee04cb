"""The agent inside an amphora: it makes desired-state documents so, keeps HAProxy alive, and tells what it sees."""
