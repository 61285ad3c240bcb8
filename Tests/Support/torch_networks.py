"""Networks of torchvision and timm, with random parameters and batch statistics."""

import torch

# torchvision's compiled operators may not fit the torch that is there. Classifiers need none of them.
register = torch.library.register_fake
torch.library.register_fake = lambda name, *rest, **options: (
    (lambda function: function) if str(name).startswith("torchvision::") else register(name, *rest, **options))


def network(name, has_auxiliary_head=True):
    """Called as `torchvision.resnet50` or `timm.tf_efficientnet_lite0`; with the library's own first parameters."""
    package, _, kind = name.partition(".")
    torch.manual_seed(1)
    if package == "timm":
        import timm

        return timm.create_model(kind, pretrained=False)
    import torchvision

    has_head = kind in ("googlenet", "inception_v3")
    options = {"aux_logits": has_auxiliary_head, "init_weights": False} if has_head else {}
    return torchvision.models.get_model(kind, weights=None, **options)


def randomize(model):
    """Batch statistics unlike those of any batch, and kernels with which activations do not fade away all the same."""
    for module in model.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 1.5)
            module.weight.data.uniform_(0.7, 1.3)
            module.bias.data.normal_(0, 0.1)
        elif isinstance(module, (torch.nn.Conv2d, torch.nn.Linear)):
            torch.nn.init.kaiming_normal_(module.weight.data, nonlinearity="relu")
            if module.bias is not None:
                module.bias.data.normal_(0, 0.1)
