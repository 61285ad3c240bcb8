#!/usr/bin/env python3
"""Times one training step of PyTorch on the CPU: forward, loss, backward, SGD with Nesterov momentum.

    python3 pytorch_training.py --batch 64 --threads 1
    python3 pytorch_training.py --alternate 'gossamer bench --training --network mnist --batch 64 --threads 1 --json'

Both memory formats run; the fastest is what ratios refer to. The last line is JSON.
"""

import torch
import torch.nn.functional as F

import peers


def training_step(layout, options):
    """A call that trains one step on the next of a few random batches."""
    build, shape, classes = peers.NETWORKS[options.network]
    memory_format = peers.LAYOUTS[layout]
    model = build().to(memory_format=memory_format).train()
    optimizer = torch.optim.SGD(model.parameters(), lr=0.01, momentum=0.9, nesterov=True, fused=True)
    batches = [
        (torch.randn(options.batch, *shape).contiguous(memory_format=memory_format),
         torch.randint(classes, (options.batch,)))
        for _ in range(8)
    ]
    step = 0

    def call():
        nonlocal step
        images, labels = batches[step % len(batches)]
        step += 1
        optimizer.zero_grad(set_to_none=True)
        loss = F.cross_entropy(model(images), labels)
        loss.backward()
        optimizer.step()
        return loss.item()

    return call


def main():
    options = peers.parse(__doc__, batch=64, calls=10)
    contestants = {f"PyTorch, {layout}": training_step(layout, options) for layout in peers.LAYOUTS}
    peers.report("training step", peers.measure(contestants, options), options)


if __name__ == "__main__":
    main()
