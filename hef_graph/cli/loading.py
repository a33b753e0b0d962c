"""A command's small empathetic model (SEM), read from the disk while the rest of the program is imported."""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor

from hef_graph.sem import load_sem
from hef_graph.types import SmallEmpatheticModel


def begin_loading(source: str | None) -> Callable[[], SmallEmpatheticModel]:
    """Load a SEM in a thread; what is returned waits for it, and raises what `load_sem` raises.

    Reading weights hardly needs the interpreter, which an import keeps busy: side by side they take as long as the
    import. Two imports side by side gain nothing, so torch is imported first.
    """
    if source is None or source == "shipped":
        import hef_graph.sem.inference  # noqa: F401, PLC0415  torch is slow to import
    pool = ThreadPoolExecutor(max_workers=1, thread_name_prefix="hef-sem-loading")
    loading = pool.submit(load_sem, source)
    pool.shutdown(wait=False)
    return loading.result
