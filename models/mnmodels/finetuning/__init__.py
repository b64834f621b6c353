"""A user's own classes on a trained network: a new head first, then more of the network at a low learning rate."""
