"""The layers that each request passes before its endpoint, one file for each."""
