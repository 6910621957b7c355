"""The command line: a face that translates arguments into requests and events into lines."""
