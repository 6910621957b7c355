"""Servers to measure beside: the least that Python can do, the least that pygls can do. Run by path, as programs."""
