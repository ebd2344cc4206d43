"""The command line, for operators: the same services as HTTP."""
