"""Classes that grow in several cells and remember their arguments."""


def test_a_method_added_later_reaches_objects_that_exist(d2l):
    class Counter:
        total = 0

    counter = Counter()

    @d2l.add_to_class(Counter)
    def step(self, by):
        self.total += by
        return self.total

    assert [counter.step(2), counter.step(3)] == [2, 5]
    assert callable(step)


def test_arguments_become_attributes_and_local_variables_do_not(d2l):
    class Recipe(d2l.HyperParameters):
        def __init__(self, flour, water=300, *, oven="hot", salt=10):
            weight = flour + water
            self.save_hyperparameters(ignore=["oven"])
            self.weight = weight

    recipe = Recipe(500, salt=8)
    assert recipe.hparams == {"flour": 500, "water": 300, "salt": 8}
    assert (recipe.flour, recipe.water, recipe.salt) == (500, 300, 8)
    assert not hasattr(recipe, "oven")


def test_arguments_of_base_class_and_subclass_are_united(d2l):
    class Base(d2l.HyperParameters):
        def __init__(self, a=1):
            self.save_hyperparameters()

    class Derived(Base):
        def __init__(self, b):
            super().__init__()
            self.save_hyperparameters()

    assert Derived(2).hparams == {"a": 1, "b": 2}
    assert Base().hparams == {"a": 1}


def test_hyperparameters_of_a_model_may_be_layers_and_lists(d2l, adapter):
    class Model(d2l.Module):
        def __init__(self, rnn, widths=(1, 2), lr=0.1):
            super().__init__()
            self.save_hyperparameters()

    rnn = adapter.make(d2l.RNN, 3, 4)
    model = Model(rnn, widths=[3, 4])
    assert model.hparams["rnn"] is rnn
    assert model.hparams["lr"] == model.lr == 0.1
    assert model.hparams["plot_train_per_epoch"] == 2
    assert model.widths == [3, 4]
    assert len(adapter.parameters(model)) == len(adapter.parameters(rnn)) >= 3
