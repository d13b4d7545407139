"""Chapters written by others for the same library: every layer trains, and names mean what they should."""

#: Prints, after each training, which parameters it left as they were. The seed's GRU sees the size of its
#: inputs, and so has parameters to look at, only after a first minibatch.
WATCH = """
from d2l import mxnet as d2l
fit = d2l.Trainer.fit

def watched(trainer, model, data):
    model(next(iter(data.val_dataloader()))[0])
    before = {name: p.data().copy() for name, p in model.collect_params().items()}
    fit(trainer, model, data)
    same = [name for name, p in model.collect_params().items() if (p.data() == before[name]).all()]
    print(len(before), "parameters, unchanged:", same)

d2l.Trainer.fit = watched
"""


def test_layers_in_lists_train(seed_chapter, run_script):
    cells, _ = seed_chapter("002")
    assert any("self.rnns = [d2l.RNNScratch(" in cell for cell in cells)
    lines = run_script("\n\n".join([cells[0], WATCH, *cells[1:]]), D2L_SMOKE="1").splitlines()
    found = [line for line in lines if "unchanged" in line]
    assert found == [f"{number} parameters, unchanged: []" for number in (8, 10)]


def test_names_that_mean_the_same_in_all_frameworks(seed_chapter, run_script):
    cells, _ = seed_chapter("004")
    assert any("d2l.concat(" in cell for cell in cells)
    report = "print(bool(np.allclose(np.dot(X, W_xh) + np.dot(H, W_hh), _last, atol=1e-5)))\n"
    assert run_script("\n\n".join([*cells[:-1], "_last = " + cells[-1].strip(), report])) == "True\n"
