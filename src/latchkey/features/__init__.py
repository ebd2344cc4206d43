"""The features: what Latchkey can do, each in a folder of its own."""
