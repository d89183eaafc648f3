"""A running model server, asked for the judged rows: whether it answers as the judged model does, and how fast."""
