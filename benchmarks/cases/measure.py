"""Measures one library in one framework; prints its numbers as JSON. `benchmarks/library.py` starts it.

PYTHON measure.py FRAMEWORK ours|upstream classes|functions [EPOCHS]

EPOCHS are timed (3 unless given), after one that is not.
"""

import importlib
import json
import math
import random
import statistics
import sys
import time

#: Hidden units, minibatch and steps of the function interface's models.
NUM_HIDDENS, BATCH_SIZE, NUM_STEPS = 256, 32, 35
#: Layers of the function interface, from scratch and the framework's own.
FUNCTIONS = ("RNN scratch", "GRU scratch", "LSTM scratch", "RNN", "GRU", "LSTM")
#: Models of the class interface; with tokens, which upstream has not, beside upstream's with vectors.
CLASSES = ("scratch", "scratch, tokens", "concise")
#: Matrix products of an update for each one of a cell.
GATES = {"RNN": 1, "GRU": 3, "LSTM": 4}


def operations(kind, num_inputs, num_hiddens):
    """Return the floating-point operations of a model's matrix products, for a token and forwards."""
    multiplied = num_hiddens if "tokens" in kind else num_inputs + num_hiddens  # an index is no product
    cell = GATES[kind.split()[0]] * multiplied * num_hiddens
    return 2 * (cell + num_hiddens * num_inputs)


def classes(models, d2l, upstream, epochs):
    """Return what is known of each model's epochs in `Trainer.fit`."""
    data = d2l.TimeMachine(batch_size=1024, num_steps=32)
    found = {}
    for kind in CLASSES:
        kept = kind.partition(",")[0] if upstream else kind
        model = models.language_model(d2l, kept, len(data.vocab), upstream)
        model.board.display = False
        trainer = d2l.Trainer(max_epochs=epochs + 1, gradient_clip_val=1)
        laps = time_calls(trainer, "fit_epoch", models)
        trainer.fit(model, data)
        cell = models.CONCISE if kind == "concise" else "RNN"
        forwards = operations(f"{cell} {kind}", len(data.vocab), 32) * data.num_steps
        found[kind] = summary(laps, forwards * (3 * data.num_train + data.num_val))
    return found


def functions(models, d2l, upstream, epochs):
    """Return the same of `train_epoch_ch8`, with the tokens of a second."""
    batches, vocab = d2l.load_data_time_machine(BATCH_SIZE, NUM_STEPS)
    batches = list(batches)
    tokens = len(batches) * BATCH_SIZE * NUM_STEPS
    found = {}
    for kind in FUNCTIONS:
        train = models.trainer_ch8(d2l, kind, len(vocab), NUM_HIDDENS, upstream)
        laps = []
        for _ in range(epochs + 1):
            start = time.process_time()
            perplexity, _ = train(batches)
            models.wait()
            laps.append(time.process_time() - start)
            assert math.isfinite(perplexity)
        found[kind] = summary(laps, 3 * tokens * operations(kind, len(vocab), NUM_HIDDENS))
        found[kind]["tokens"] = tokens / found[kind]["epoch"]
    return found


def time_calls(owner, name, models, clock=time.process_time):
    """Make a method note its seconds, by a clock, in the list that is returned."""
    laps, method = [], getattr(owner, name)

    def timed():
        start = clock()
        method()
        models.wait()
        laps.append(clock() - start)

    setattr(owner, name, timed)
    return laps


def summary(laps, work):
    """Return the seconds of the first epoch and of another, and the GFLOP/s of the latter."""
    epoch = statistics.median(laps[1:])
    return {"first": laps[0], "epoch": epoch, "gflops": work / epoch / 1e9}


def product_rate(models, size=1024):
    """Return the GFLOP/s of a large matrix product."""
    multiply = models.product(size)
    laps = []
    for _ in range(9):
        start = time.process_time()
        multiply()
        laps.append(time.process_time() - start)
    return 2 * size**3 / statistics.median(laps[2:]) / 1e9


def main():
    framework, side, interface, epochs = [*sys.argv[1:], "3"][:4]
    models = importlib.import_module(f"models_{framework}")
    upstream = side == "upstream"
    random.seed(0)  # where the minibatches of the function interface begin
    d2l = models.load(upstream)
    found = {"classes": classes, "functions": functions}[interface](models, d2l, upstream, int(epochs))
    print(json.dumps({"product": product_rate(models), "cases": found}))


if __name__ == "__main__":
    main()
