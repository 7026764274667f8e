"""Puts a Flink distribution together: the jars of an installed package, scripts and configuration of a wheel. Jars are
hard links: Flink's scripts do not look into symbolic ones."""

import os
import pathlib
import sys
import zipfile

root, wheels, home = map(pathlib.Path, sys.argv[1:4])
installed = next(root.glob("lib*/python3*/site-packages/pyflink"))
home.mkdir()


def link(source, target):
    for path in source.rglob("*"):
        place = target / path.relative_to(source)
        place.parent.mkdir(parents=True, exist_ok=True)
        if path.is_file() and not place.exists():
            os.link(path, place)


for part in ["lib", "opt", "plugins"]:
    link(installed / part, home / part)
(home / "log").mkdir()
wheel = zipfile.ZipFile(next(wheels.glob("apache_flink-*.whl")))
for name in wheel.namelist():
    path = pathlib.PurePosixPath(name).parts
    if len(path) > 2 and path[0] == "pyflink" and path[1] in ("bin", "conf"):
        target = home.joinpath(*path[1:])
        target.parent.mkdir(parents=True, exist_ok=True)
        target.write_bytes(wheel.read(name))
        target.chmod(0o755 if path[1] == "bin" else 0o644)
# The other package has what the scripts call, too.
link(installed / "bin", home / "bin")
