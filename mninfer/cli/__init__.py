"""The command ``mninfer``: one module to a command, ``main`` for what all of them share."""
