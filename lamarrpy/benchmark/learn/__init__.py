"""How well each algorithm learns: a made-up detector whose answer is known exactly, and the table of all algorithms."""
