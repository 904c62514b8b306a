"""The trusted process: it runs test cells, and never student code."""
