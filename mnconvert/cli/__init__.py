"""The command ``mnconvert``, in the frame of ``mninfer.cli.frame``: one command, whose steps are the modules here."""
