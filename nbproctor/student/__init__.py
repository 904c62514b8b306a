"""The untrusted process: it runs student code inside the sandbox."""
