"""What recurrent layers do in PyTorch only."""

import torch
from d2l import torch as d2l


def test_scratch_keeps_the_type_of_its_inputs():
    layer, inputs = d2l.RNNScratch(5, 8).double(), torch.randn(6, 2, 5, dtype=torch.float64)
    outputs, state = layer(inputs)
    assert outputs.dtype == state.dtype == torch.float64
