"""Records -> tables: text for a terminal, Markdown, CSV, one HTML page. Pure: nothing is read, written or measured."""
