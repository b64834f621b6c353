"""One peer to a module, with the function ``open_engine(request)``; imported in that peer's own environment alone."""
