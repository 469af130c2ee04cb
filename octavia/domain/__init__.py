"""What a user may wish, what exists, what is legal, and what an agent is told. Pure: no input or output."""
