"""Other programs' results: read into records, and written from them."""
