"""The command line: the same services as HTTP, for whoever runs Latchkey."""
