#!/usr/bin/env python3
"""Peak memory of W1 to W7 (tests/bench/csv) on a file and on one twenty times as long.

    tests/bench/memory/flat.py FOLDER [MB [TIMES]]

Makes a narrow and a wide file of MB megabytes (500) and, of each, one with the same rows TIMES times (20) in FOLDER, one kind
after the other, and removes them. Results go to /dev/null; medians of RUNS. The bar: the long one takes at most 1.2 times as much, and under
64 MB. Exit status 1 if not.
"""
import os
import statistics
import subprocess
import sys

HERE = os.path.dirname(os.path.abspath(__file__))
sys.path.insert(0, os.path.join(HERE, "..", "csv"))
import bench  # noqa: E402: the workloads

BAR_RATIO, BAR_MB = 1.2, 64
RUNS = 5


def build(folder, tool):
    path = os.path.join(folder, tool)
    subprocess.run(["cc", "-O2", "-o", path, os.path.join(HERE, "..", "csv", "tools", tool + ".c")], check=True)
    return path


def make(folder, kind, mb, times):
    short, long = (os.path.join(folder, f"{kind}{n}.csv") for n in (1, times))
    with open(short, "wb") as f:
        subprocess.run([os.path.join(folder, "make_data"), kind, str(mb)], check=True, stdout=f, cwd=bench.ROOT)
    with open(long, "wb") as f:
        subprocess.run(["cat", short], check=True, stdout=f)
        for _ in range(times - 1):
            subprocess.run(["tail", "-n", "+2", short], check=True, stdout=f)
    return short, long


def measure(folder, work, path):
    program = work.mill.replace("{i}", path).replace("{o}", "/dev/null")
    figures = os.path.join(folder, "figures")
    argv = [os.path.join(folder, "timed"), figures, os.path.join(bench.ROOT, "build", "pipemill"), "run", "-q", "-j", "2"]
    runs = []
    for _ in range(RUNS):
        subprocess.run(argv + ["-e", program], check=True)
        with open(figures) as f:
            runs.append([float(x) for x in f.read().split()])
    return [statistics.median(x) for x in zip(*runs)]


def main():
    folder, mb, times = sys.argv[1], int((sys.argv + ["500"])[2]), int((sys.argv + ["", "20"])[3])
    is_kept = True
    os.makedirs(folder, exist_ok=True)
    for tool in ("timed", "make_data"):
        build(folder, tool)
    print(f"{'':12} {'wall s, CPU s, resident MB':32} of {times} times as much{'':12} memory")
    for kind in ("narrow", "wide"):
        short, long = make(folder, kind, mb, times)
        for w in bench.workloads():
            if w.data != kind or not w.name.startswith("W"):
                continue
            a, b = measure(folder, w, short), measure(folder, w, long)
            ratio = b[2] / a[2]
            is_kept &= ratio <= BAR_RATIO and b[2] < BAR_MB
            print(f"{w.name + ' ' + kind:12} {a[0]:8.2f} {a[1]:8.2f} {a[2]:8.1f} {'':6} {b[0]:8.2f} {b[1]:8.2f} {b[2]:8.1f}"
                  f" {'':6} {ratio:.2f} times", flush=True)
        os.remove(short)
        os.remove(long)
    print("the bar is kept" if is_kept else f"the bar is not kept: {BAR_RATIO} times, {BAR_MB} MB")
    return 0 if is_kept else 1


if __name__ == "__main__":
    sys.exit(main())
