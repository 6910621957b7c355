"""Tests of the command line, most of them end to end: a tree on disk, a fake endpoint on loopback, real output."""
