"""The pool of worker processes: its frames, its promises, and what becomes of hostile calls."""
