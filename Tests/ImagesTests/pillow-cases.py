"""Writes images into a folder, with what Pillow decodes from them and what it makes of them in other sizes.

NAME.pixels belongs to the image file NAME, NAME.FILTER.pixels to its resized copy: channels, height and width as 32 bits
each, little-endian, and bytes as [channel][row][column].
"""

import pathlib
import sys

import numpy
from PIL import Image

folder = pathlib.Path(sys.argv[1])
generator = numpy.random.default_rng(int(sys.argv[2]))


def picture(width, height):
    y, x = numpy.mgrid[:height, :width]
    channels = []
    for _ in range(3):
        a, b, c, d = generator.uniform(0.02, 0.4, 4)
        values = 128 + 70 * numpy.sin(a * x + b * y) + 70 * numpy.cos(c * x - d * y)
        channels.append(values + 50 * ((x // 7 + y // 5) % 2) + generator.normal(0, 5, values.shape))
    return Image.fromarray(numpy.clip(numpy.stack(channels, -1), 0, 255).astype(numpy.uint8))


def write(name, image):
    array = numpy.asarray(image)
    planes = numpy.ascontiguousarray(array[None] if array.ndim == 2 else array.transpose(2, 0, 1))
    (folder / f"{name}.pixels").write_bytes(numpy.array(planes.shape, "<i4").tobytes() + planes.tobytes())


for number in range(40):
    width = int(generator.integers(20, 160))
    # Pillow swaps the order of rows and columns for some images that are much higher than wide.
    height = int(width * generator.uniform(0.5, 1.2))
    image = picture(width, height)
    if number % 5 == 4:
        image = image.convert("L")
    if number % 2:
        name = f"{number}.png"
        image.save(folder / name)
    else:
        name = f"{number}.jpg"
        options = {} if image.mode == "L" else {"subsampling": int(generator.integers(0, 3))}
        image.save(folder / name, quality=int(generator.integers(30, 100)), progressive=number % 4 == 0, **options)
    shown = Image.open(folder / name)
    write(name, shown)
    scale = generator.uniform(0.1, 2.5)
    size = (max(1, round(width * scale)), max(1, round(height * scale)))
    write(f"{name}.bilinear", shown.resize(size, Image.Resampling.BILINEAR))
    write(f"{name}.bicubic", shown.resize(size, Image.Resampling.BICUBIC))
