"""The compiled executor: graphql-core, with what is plain in a selection completed by generated Python.

Plain is a leaf, an object or a list of them, read from an attribute or by a synchronous resolver that takes its source
and arguments and no more. One function is made for each selection on an object type (`generating.py`), once for the
document and its @skip and @include (`keeping.py`), and given the arguments of each execution (`running.py`).

A generated function never reports: on any surprise it raises, and graphql-core completes the same value from the start
with its own errors, paths and nulls. So resolvers below the root fields may run again, and have no effects; the root
fields themselves, mutations above all, are always graphql-core's and run once.
"""

from engine.compiled.executor import CompiledExecutor
from engine.compiled.keeping import source_of

__all__ = ["CompiledExecutor", "source_of"]
