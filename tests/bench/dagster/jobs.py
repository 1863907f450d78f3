"""The three jobs of examples/pokemon.pipe, as a Dagster user would write them.

    dagster job execute -f jobs.py -j prio_dynamic -c config.json

The config sets the executor, the source and the pause (compare.py writes it). Batches are
lists of dicts read by the csv module: pandas would be a heavier import in every step.
"""

import csv
import itertools
import sys
import time
import uuid

from dagster import Config, Definitions, DynamicOut, DynamicOutput, job, op

BATCH_ROWS = 100


class Source(Config):
    path: str


class Pause(Config):
    seconds: float = 1.0


@op(out=DynamicOut())
def extract(config: Source):
    with open(config.path, newline="", encoding="utf-8") as file:
        rows = csv.DictReader(file)
        for n in itertools.count():
            batch = list(itertools.islice(rows, BATCH_ROWS))
            if not batch:
                break
            yield DynamicOutput(batch, mapping_key=str(n))


@op
def extract_all(config: Source):
    with open(config.path, newline="", encoding="utf-8") as file:
        return list(csv.DictReader(file))


@op
def transform_1(config: Pause, rows):
    time.sleep(config.seconds)
    return [{c: row[c] for c in ("name", "generation", "type1", "type2")} for row in rows]


@op
def transform_2(config: Pause, rows):
    time.sleep(config.seconds)
    return [{**row, "internal_id": str(uuid.uuid4())} for row in rows]


@op
def load(rows):
    # To stderr, as pipemill's `log` does. With `context.log.info` each line would be an entry
    # of Dagster's event log as well: 801 database transactions, many times the rest of the run.
    lines = (f"Pushing {row['name']} ({row['internal_id']}) to DB..\n" for row in rows)
    sys.stderr.write("".join(lines))
    sys.stderr.flush()


def ranked(definition, priority):
    return definition.tag({"dagster/priority": str(priority)})


@job
def static():
    load(transform_2(transform_1(extract_all())))


@job
def dynamic():
    extract().map(transform_1).map(transform_2).map(load)


@job
def prio_dynamic():
    first = extract().map(ranked(transform_1, 1))
    first.map(ranked(transform_2, 2)).map(ranked(load, 3))


defs = Definitions(jobs=[static, dynamic, prio_dynamic])
