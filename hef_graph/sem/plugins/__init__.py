"""Other small empathetic models (SEMs) behind the same protocol: far away, from a file, or somebody else's."""
