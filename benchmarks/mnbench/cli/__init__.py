"""The command ``mnbench``: the commands, a module to each, in the frame of ``mninfer.cli.frame``."""
