"""``python -m bench [PREFIX]``: measure, write ``bench/latest.json`` and print the table."""

import sys
from importlib import import_module
from pkgutil import iter_modules

import bench
from bench.harness import INSTANCE, LATEST, Bench, run, save, table
from core.embedded import stop_postgres, stop_redis
from core.errors import ZhijiaError


def found() -> list[Bench]:
    """The benches of every module in this folder that lists some as ``BENCHES``."""
    modules = [
        import_module(f"bench.{module.name}") for module in iter_modules(bench.__path__) if module.name[0] != "_"
    ]
    return [one for module in modules for one in getattr(module, "BENCHES", [])]


def main(arguments: list[str]) -> int:
    """Exit code 2 where no bench has such a name."""
    only = arguments[0] if arguments else ""
    try:
        results = run(found(), only)
    except ZhijiaError as error:
        sys.stderr.write(f"{error}\n")
        return 2
    finally:
        stop_postgres(INSTANCE)
        stop_redis(INSTANCE)
    if not results:
        sys.stderr.write(f"No bench begins with {only!r}.\n")
        return 2
    save(results)
    print(table(results))
    print(f"written to {LATEST}")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
