"""The networks: one module to a family, ``registry`` for their names and options."""
