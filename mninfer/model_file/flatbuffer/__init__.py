"""Read and write any flatbuffer whose schema is one of our JSON tables.

``decode`` turns untrusted bytes into plain dictionaries, ``encode`` is its inverse. Neither knows what the fields mean:
that is ``graph.py`` and ``metadata.py``.
"""

from mninfer.model_file.flatbuffer.decoding import decode
from mninfer.model_file.flatbuffer.encoding import encode
from mninfer.model_file.flatbuffer.schema import Field, Schema, Table, load_schema, read_table

__all__ = ["Field", "Schema", "Table", "decode", "encode", "load_schema", "read_table"]
