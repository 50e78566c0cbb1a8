"""The command line: python -m cxr, or the console script cxr."""
