"""The command ``mnmodels``: one module to a command, in the frame of ``mninfer.cli.frame``."""
