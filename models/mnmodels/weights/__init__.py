"""Weights from elsewhere: one reader to a kind of file, one translation of names, one step that checks and assigns."""
