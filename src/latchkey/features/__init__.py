"""The features of Latchkey, each in its own folder."""
