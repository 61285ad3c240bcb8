"""PyTorch's training step: forward, loss, backward, SGD with Nesterov momentum."""

import torch
import torch.nn.functional as F

import graph

NAMES = ["pytorch-contiguous", "pytorch-channels-last"]


def load(engine, model, shape, threads):
    """A call that trains one step on the next of a few random batches and returns the loss."""
    torch.set_num_threads(threads)
    torch.set_num_interop_threads(1)
    torch.manual_seed(1)
    layout = torch.channels_last if "channels-last" in engine else torch.contiguous_format
    network = graph.Graph(model).to(memory_format=layout).train()
    optimizer = torch.optim.SGD(network.parameters(), lr=1e-6, momentum=0.9, weight_decay=5e-4, nesterov=True, fused=True)
    with torch.no_grad():
        classes = network(torch.randn(2, *shape[1:])).shape[1]
    batches = [
        (torch.randn(*shape).contiguous(memory_format=layout), torch.randint(classes, shape[:1])) for _ in range(4)]
    step = 0

    def call():
        nonlocal step
        images, labels = batches[step % len(batches)]
        step += 1
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(network(images), labels)
        loss.backward()
        optimizer.step()
        return loss.detach().numpy()

    return call
