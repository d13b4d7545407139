"""How many tokens a second the layer from scratch trains on: on one core, on a GPU, and compiled for it.

It runs with the Python of a framework that sees the GPU, which may be another version than the book's pinned
one, and needs nothing else of this repository but the library:

    PYTHONPATH=. PYTHON benchmarks/devices.py pytorch|jax [--upstream FOLDER] [--epochs N]

The table in the chapter on concise layers has the rows that `devices.json` keeps of such runs. FOLDER holds
upstream's library (`pip install --no-deps --target FOLDER d2l==1.0.3`; it imports IPython, pandas, scipy and
requests, too), whose loop is then measured instead: both are called `d2l`, so a process can import one.
"""

import argparse
import importlib
import json
import os
import platform
import statistics
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "cases"))
from measure import time_calls

HIDDENS = (32, 256)


def measure(d2l, models, model, gpus, epochs, **settings):
    """Return the seconds of an epoch on one GPU or on none, and the tokens that it trains on."""
    data = d2l.TimeMachine(batch_size=1024, num_steps=32)
    model = model(len(data.vocab))
    model.board.display = False
    trainer = d2l.Trainer(max_epochs=epochs + 1, num_gpus=gpus, gradient_clip_val=1, **settings)
    laps = time_calls(trainer, "fit_epoch", models, time.perf_counter)
    trainer.fit(model, data)
    return {"seconds": round(statistics.median(laps[1:]), 4), "tokens": data.num_train * data.num_steps}


def rows(framework, d2l, models, upstream, epochs):
    """Yield what is measured with a library, on one core and on a GPU if there is one."""
    how = {"key": models.key()} if framework == "jax" and not upstream else {}
    ways = [(0, {}), (1, {})]
    if framework == "pytorch" and not upstream:
        ways.append((1, {"compile": True}))
    for num_hiddens in HIDDENS:
        for gpus, settings in ways:
            if gpus <= d2l.num_gpus():

                def model(n, h=num_hiddens):
                    return d2l.RNNLMScratch(d2l.RNNScratch(n, h, **how), n, lr=1, **how)

                found = measure(d2l, models, model, gpus, epochs, **settings)
                yield {"hiddens": num_hiddens, "gpu": bool(gpus), "compile": bool(settings), **found}


def names(framework):
    """Return the version of a framework, and what it calls the processor and the GPU."""
    module = importlib.import_module({"pytorch": "torch"}.get(framework, framework))
    facts = Path("/proc/cpuinfo")
    lines = facts.read_text().splitlines() if facts.exists() else []
    models = [line.partition(":")[2].strip() for line in lines if line.startswith("model name")]
    core = f"{models[0] if models else platform.machine()}, one core"
    if framework == "pytorch":
        gpu = module.cuda.get_device_name() if module.cuda.is_available() else ""
    else:
        gpu = next((device.device_kind for device in module.devices() if device.platform == "gpu"), "")
    return module.__version__.split("+")[0], {False: core, True: gpu}


def main():
    parser = argparse.ArgumentParser(description="Tokens a second on one core and on a GPU.")
    parser.add_argument("framework", choices=["pytorch", "jax"])
    parser.add_argument("--upstream", metavar="FOLDER", help="measure the library in this folder")
    parser.add_argument("--epochs", type=int, default=5, help="how many are timed (default: 5)")
    options = parser.parse_args()
    os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    upstream = options.upstream is not None
    if upstream:
        sys.path.insert(0, options.upstream)
    models = importlib.import_module(f"models_{options.framework}")
    d2l = models.load(upstream)
    found = list(rows(options.framework, d2l, models, upstream, options.epochs))
    version, devices = names(options.framework)
    for row in found:
        device = devices[row.pop("gpu")]
        print(json.dumps({"framework": options.framework, "version": version, "device": device, **row}))


if __name__ == "__main__":
    main()
