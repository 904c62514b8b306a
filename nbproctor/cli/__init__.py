"""The command line: the verbs, and the only place that prints."""
