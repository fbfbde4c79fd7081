"""Readers and writers, chosen by suffix: Parquet, ROOT, HepMC, SQLite, CSV.

`open_source` gives whole, checked generator-level events; `open_sink` takes batches and writes them
atomically; `read_batch` reads any input or output whole; `digest` hashes its tables;
`check_output` says beforehand whether an output can be written. Libraries of a
format are imported when a file of that format is opened.
"""

from lamarrpy.io.batch import read_batch
from lamarrpy.io.checks import BadRows
from lamarrpy.io.hashes import digest
from lamarrpy.io.sink import Sink, open_sink
from lamarrpy.io.source import Source, open_source
from lamarrpy.io.target import check_output

__all__ = ["BadRows", "Sink", "Source", "check_output", "digest", "open_sink", "open_source", "read_batch"]
