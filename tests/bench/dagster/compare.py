"""Runs the jobs of jobs.py and of examples/pokemon.pipe, checks that both load the same
names, and prints what they took. run.sh installs Dagster and starts this from the
project's top folder. What the columns mean is printed below the tables.
"""

import collections
import ctypes
import functools
import json
import os
import platform
import re
import resource
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
from pathlib import Path

import dagster

HERE = Path(__file__).parent
PIPEMILL = "build/pipemill"
PROGRAM = "examples/pokemon.pipe"
SOURCE = "data/pokemon.csv"
SCRATCH = Path(os.environ.get("STORAGE", "build/peers"))

DAGSTER_RUNS = int(os.environ.get("RUNS", "1"))
PIPEMILL_RUNS = {0: 5, 1: 3}  # by pause; these cost little
QUIET_S = float(os.environ.get("QUIET", "0"))  # longest wait before a run for others to end
TIMEOUT_S = 300               # of one run; Dagster needs up to 40 on a quiet machine
PR_SET_CHILD_SUBREAPER = 36   # linux/prctl.h
SAMPLE_S = 0.5                # between two looks at the memory of the processes

# Instances: extract and three ops on each of 9 batches; in the static job four ops.
JOBS = {"static": 4, "dynamic": 28, "prio_dynamic": 28}

# The two sleeping ops are all that takes time in an ideal run: how many pauses one after
# another, by workers. Of 18 sleeps 4 workers need 5 rounds; with priorities 6, since the
# ninth batch is begun when the first eight are through.
IDEAL_PAUSES = {4: {"static": 2, "dynamic": 5, "prio_dynamic": 6},
                1: {"static": 2, "dynamic": 18, "prio_dynamic": 18}}

SETTINGS = {
    "in_process": (1, {"in_process": {}}),
    "multiprocess": (4, {"multiprocess": {"max_concurrent": 4}}),
    "multiprocess, forkserver": (4, {"multiprocess": {"max_concurrent": 4,
                                                      "start_method": {"forkserver": {}}}}),
}

Cost = collections.namedtuple("Cost", "wall_s cpu_s others memory_mb")
Run = collections.namedtuple(
    "Run", Cost._fields + ("run_s", "first_s", "first_in_run_s", "live", "begun", "disk_files",
                           "disk_mb", "names"))


# ---- running a process

def busy_s():
    """Seconds of work of all processors since the machine's start."""
    fields = Path("/proc/stat").read_text().split("\n", 1)[0].split()
    user, nice, system = (int(f) for f in fields[1:4])
    return (user + nice + system) / os.sysconf("SC_CLK_TCK")


def wait_until_quiet():
    """Waits until a second has passed in which all others took under a fifth of a processor."""
    deadline = time.monotonic() + QUIET_S
    while time.monotonic() < deadline:
        before = busy_s()
        time.sleep(1)
        if busy_s() - before < 0.2:
            return


def children(root):
    """Process ids of root and all below it."""
    below = collections.defaultdict(list)
    for entry in os.scandir("/proc"):
        if entry.name.isdigit():
            try:
                stat = Path(entry.path, "stat").read_text()
            except OSError:
                continue  # it has ended
            below[int(stat.rpartition(")")[2].split()[1])].append(int(entry.name))
    todo, found = [root], []
    while todo:
        pid = todo.pop()
        found.append(pid)
        todo += below[pid]
    return found


def kill_all(root):
    for pid in children(root):
        try:
            os.kill(pid, signal.SIGKILL)
        except ProcessLookupError:
            pass


def memory_mb(root):
    """Proportional set size of the tree: shared pages count once."""
    total_kb = 0
    for pid in children(root):
        try:
            text = Path(f"/proc/{pid}/smaps_rollup").read_text()
        except OSError:
            continue
        match = re.search(r"^Pss:\s+(\d+)", text, re.M)
        total_kb += int(match.group(1)) if match else 0
    return total_kb / 1024


def reap_orphans():
    """Waits for what a program left behind: Dagster's fork server ends when its client has."""
    try:
        while True:
            os.waitpid(-1, 0)
    except ChildProcessError:
        pass


def children_cpu_s():
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def execute(args, env=None):
    """Runs args to their end. Returns the start (seconds since 1970), a Cost and stderr."""
    with tempfile.TemporaryFile(dir=SCRATCH) as err:
        busy, cpu = busy_s(), children_cpu_s()
        start, begin = time.time(), time.perf_counter()
        process = subprocess.Popen(args, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL,
                                   stderr=err, env=env)
        peak, ended = [0.0], threading.Event()

        def sample():
            while not ended.wait(SAMPLE_S):
                peak[0] = max(peak[0], memory_mb(process.pid))

        sampler = threading.Thread(target=sample, daemon=True)
        sampler.start()
        # Not wait(timeout), which polls and so adds up to 50 ms.
        timer = threading.Timer(TIMEOUT_S, kill_all, (process.pid,))
        timer.daemon = True
        timer.start()
        try:
            status = process.wait()
        except KeyboardInterrupt:
            kill_all(process.pid)
            raise
        wall_s = time.perf_counter() - begin
        timer.cancel()
        ended.set()
        sampler.join()
        reap_orphans()
        err.seek(0)
        text = err.read().decode()
    if status != 0:
        sys.exit(f"{' '.join(map(str, args))}: status {status} after {wall_s:.1f} s"
                 f"\n{text[-2000:]}")
    cpu_s = children_cpu_s() - cpu
    others_s = max(0.0, busy_s() - busy - cpu_s)
    elapsed_s = time.perf_counter() - begin
    return start, Cost(wall_s, cpu_s, others_s / elapsed_s, peak[0]), text


def names_of(text):
    return sorted(re.findall(r"^Pushing (.*) \([0-9a-f-]{36}\) to DB\.\.$", text, re.M))


def peak_of(changes):
    """The highest sum of changes, a list of (time, +1 or -1). At equal times -1 is first."""
    live = peak = 0
    for _, change in sorted(changes):
        live += change
        peak = max(peak, live)
    return peak


# ---- pipemill

def run_pipemill(home, job, pause):
    trace = home / "trace.json"
    args = [PIPEMILL, "run", PROGRAM, job, "--set", f"pause={pause}s", "--trace", trace]
    _, cost, text = execute(args)
    recorded = json.loads(trace.read_text())
    about = recorded["pipemill"]
    done = sum(step["done"] for step in about["steps"])
    if done != JOBS[job]:
        sys.exit(f"pipemill {job}: {done} instances, expected {JOBS[job]}")
    slices = [e for e in recorded["traceEvents"] if e["ph"] == "X"]
    ends = [e["ts"] + e["dur"] for e in slices if e["args"]["step"] == "load"]
    begun = [(e["ts"], +1) for e in slices if e["args"]["step"] == "transform_1"]
    run_s = about["time_us"] / 1e6
    first_in_run_s = min(ends) / 1e6
    batches = job != "static"
    return Run(*cost, run_s=run_s,
               # The trace begins with the run. All that is outside of the run is counted
               # as if it came before, so this is an upper bound.
               first_s=cost.wall_s - run_s + first_in_run_s, first_in_run_s=first_in_run_s,
               live=about["scopes"][1]["peak_live"] if batches else None,
               begun=peak_of(begun + [(end, -1) for end in ends]) if batches else None,
               disk_files=0, disk_mb=0.0, names=names_of(text))


def pipemill_memory_mb(job):
    """As the program says it, for runs that are too short to be sampled. Started by a
    shell, since a process inherits the peak of the one that it is forked from."""
    _, _, text = execute(["sh", "-c", '"$@"; exit $?', "sh", PIPEMILL, "run", PROGRAM, job,
                          "--set", "pause=0s"])
    match = re.search(r"^\s*memory\s+peak ([0-9.]+) MB", text, re.M)
    return float(match.group(1)) if match else 0.0


# ---- Dagster

def dagster_config(home, job, pause, executor):
    ops = {name: {"config": {"seconds": pause}} for name in ("transform_1", "transform_2")}
    ops["extract_all" if job == "static" else "extract"] = {"config": {"path": SOURCE}}
    path = home / "config.json"
    path.write_text(json.dumps({"execution": {"config": executor}, "ops": ops}))
    return path


def dagster_env(home):
    env = {name: value for name, value in os.environ.items() if not name.startswith("PYTHON")}
    # All that pip installed is compiled already; nothing is to be written beside jobs.py.
    return dict(env, DAGSTER_HOME=str(home), PYTHONDONTWRITEBYTECODE="1")


def read_events(instance, run_id):
    """(time, kind, op, key of the step) of a run's event log, in order of time."""
    events = []
    for entry in instance.all_logs(run_id):
        if entry.dagster_event:
            step = entry.dagster_event.step_key or ""
            events.append((entry.timestamp, entry.dagster_event.event_type_value,
                           step.partition("[")[0], step))
    return sorted(events)


def left_on_disk(folder):
    """Number and bytes of the intermediates; what Dagster captured of stderr is not one."""
    files = [f for f in folder.rglob("*") if f.is_file() and "compute_logs" not in f.parts]
    return len(files), sum(f.stat().st_size for f in files)


def run_dagster(home, instance, job, pause, executor):
    config = dagster_config(home, job, pause, executor)
    before = {run.run_id for run in instance.get_runs()}
    args = [Path(sys.executable).parent / "dagster", "job", "execute",
            "-f", HERE / "jobs.py", "-j", job, "-c", config]
    start, cost, _ = execute(args, dagster_env(home))
    (run,) = [r for r in instance.get_runs() if r.run_id not in before]
    events = read_events(instance, run.run_id)
    done = [e for e in events if e[1] == "STEP_SUCCESS"]
    if run.status.value != "SUCCESS" or len(done) != JOBS[job]:
        sys.exit(f"dagster {job}: {run.status.value}, {len(done)} instances, expected {JOBS[job]}")
    (began,) = [e[0] for e in events if e[1] == "PIPELINE_START"]
    (ended,) = [e[0] for e in events if e[1] == "PIPELINE_SUCCESS"]
    loaded = [e[0] for e in done if e[2] == "load"]
    loads = [(t, -1) for t in loaded]
    yields = [(e[0], +1) for e in events if e[1:3] == ("STEP_OUTPUT", "extract")]
    begun = [(e[0], +1) for e in events if e[1:3] == ("STEP_START", "transform_1")]
    folder = home / "storage" / run.run_id
    files, size = left_on_disk(folder)
    # Of each step what it wrote to stderr: on the console the lines of two could mix.
    logs = "".join(f.read_text() for f in folder.glob("compute_logs/*.err"))
    batches = job != "static"
    if os.environ.get("ORDER"):
        print(job, *(e[3] for e in events if e[1] == "STEP_START"), file=sys.stderr)
    return Run(*cost, run_s=ended - began, first_s=min(loaded) - start,
               first_in_run_s=min(loaded) - began,
               live=peak_of(yields + loads) if batches else None,
               begun=peak_of(begun + loads) if batches else None,
               disk_files=files, disk_mb=size / 1e6, names=names_of(logs))


# ---- the table

def median(runs, field):
    values = [getattr(run, field) for run in runs]
    return None if values[0] is None else statistics.median(values)


def seconds(value):
    return f"{value:.2f}" if value >= 1 else f"{value:.4f}"


def count(runs, field):
    value = median(runs, field)
    return "-" if value is None else f"{value:g}"


def overhead_ms(runs, field, pause, job, workers):
    ideal_s = pause * IDEAL_PAUSES[workers][job]
    return f"{(median(runs, field) - ideal_s) / JOBS[job] * 1e3:.2f}"


def result_row(pause, job, program, workers, runs):
    cells = (f"{pause} s", job, program, seconds(median(runs, "wall_s")),
             overhead_ms(runs, "wall_s", pause, job, workers), count(runs, "live"),
             seconds(median(runs, "first_s")), f"{max(run.memory_mb for run in runs):.1f}")
    return f"| {' | '.join(cells)} |"


def detail_row(pause, job, program, workers, runs):
    walls = [run.wall_s for run in runs]
    cells = (f"{pause} s", job, program, f"{len(runs)}",
             f"{seconds(min(walls))}-{seconds(max(walls))}",
             f"{pause * IDEAL_PAUSES[workers][job]}", seconds(median(runs, "run_s")),
             overhead_ms(runs, "run_s", pause, job, workers),
             seconds(median(runs, "first_in_run_s")), count(runs, "begun"),
             f"{median(runs, 'disk_files'):g}, {median(runs, 'disk_mb'):.2f} MB",
             seconds(median(runs, "cpu_s")), f"{median(runs, 'others'):.1f}")
    return f"| {' | '.join(cells)} |"


RESULT_HEAD = """\
| pause | job | program | wall s | overhead ms per instance | peak live batches | first batch loaded s | memory MB |
|---|---|---|---|---|---|---|---|"""

DETAIL_HEAD = """\
| pause | job | program | runs | wall s, lowest-highest | ideal s | run s | overhead ms, in run | first load s, in run | begun | left on disk | CPU s | others |
|---|---|---|---|---|---|---|---|---|---|---|---|---|"""

DEFINITIONS = """\
All are medians. wall: from the start of the process to its end. ideal: what the sleeps alone take on
the workers there are (pipemill and multiprocess 4, in_process 1). overhead: (wall - ideal) / instances
of ops, 4 in static and 28 in the others. peak live: batches yielded by extract and not yet loaded;
begun: those of them that transform_1 has begun on. first batch loaded: since the start of the process
(for pipemill an upper bound). run, in run: from the program's own event of the run's start instead.
memory: the most of all processes of a run together, proportional set size sampled every {sample} s;
pipemill at pause 0 gives its own figure. left on disk: intermediate results after the end. CPU: user
and system time of all its processes. others: processors that other work on the machine took meanwhile."""


def machine():
    info = Path("/proc/cpuinfo").read_text()
    cpu = re.search(r"^model name\s*:\s*(.*)$", info, re.M)
    return f"{os.cpu_count()} x {cpu.group(1) if cpu else platform.machine()}"


def check_names(names, job, pause, program, expected):
    if len(names) != 801 or names != expected:
        sys.exit(f"{program} {job}, pause {pause} s: {len(names)} names loaded, not the same as "
                 f"those of pipemill's first run ({len(expected)})")


def cases(home, instance):
    """(pause, job, program, workers, how many runs, what runs it once)"""
    for pause in (0, 1):
        for job in JOBS:
            yield (pause, job, "pipemill", 4, PIPEMILL_RUNS[pause],
                   functools.partial(run_pipemill, home, job, pause))
            for name, (workers, executor) in SETTINGS.items():
                yield (pause, job, f"Dagster {name}", workers, DAGSTER_RUNS,
                       functools.partial(run_dagster, home, instance, job, pause, executor))


def measure(home, instance):
    """A run of everything, then the next: what else the machine does meets all alike."""
    todo = list(cases(home, instance))
    runs, expected = [[] for _ in todo], None
    for n in range(max(case[4] for case in todo)):
        for (pause, job, program, _, count, run_once), done in zip(todo, runs):
            if n >= count:
                continue
            wait_until_quiet()
            done.append(run_once())
            expected = expected or done[0].names
            check_names(done[-1].names, job, pause, program, expected)
            print(f"pause {pause} s, {job}, {program}: {seconds(done[-1].wall_s)} s",
                  file=sys.stderr)
    for (_, job, _, _, _, _), done in zip(todo, runs):
        if not any(run.memory_mb for run in done):
            done[:] = [run._replace(memory_mb=pipemill_memory_mb(job)) for run in done]
    return [(*case[:4], done) for case, done in zip(todo, runs)]


def main():
    begin = time.monotonic()
    # Orphans of a run become children of this process, so that their time is known.
    ctypes.CDLL(None).prctl(PR_SET_CHILD_SUBREAPER, 1, 0, 0, 0)
    version = subprocess.run([PIPEMILL, "--version"], capture_output=True, text=True, check=True)
    load = os.getloadavg()[0]
    with tempfile.TemporaryDirectory(dir=SCRATCH, prefix="dagster-home-") as folder:
        home = Path(folder).resolve()
        (home / "dagster.yaml").write_text("telemetry:\n  enabled: false\n")
        os.environ["DAGSTER_HOME"] = str(home)
        instance = dagster.DagsterInstance.get()
        # A first run makes Dagster's databases and warms the file cache; it is not counted.
        run_dagster(home, instance, "static", 0, SETTINGS["in_process"][1])
        results = measure(home, instance)
    print(f"{version.stdout.splitlines()[0]}; Dagster {dagster.__version__} on Python "
          f"{platform.python_version()}; {machine()}; load average before: {load:.2f}; "
          f"databases and files in {SCRATCH}\n")
    print(RESULT_HEAD, *(result_row(*r) for r in results), sep="\n")
    print()
    print(DETAIL_HEAD, *(detail_row(*r) for r in results), sep="\n")
    print("\n" + DEFINITIONS.format(sample=SAMPLE_S))
    print(f"\nAll runs loaded the same 801 names. Took {time.monotonic() - begin:.0f} s.")


main()
