#!/usr/bin/env python3
"""Writes Tests/Fixtures/images: small image files, each with the pixels that Pillow decodes from it.

    python3 -m pip install pillow==13.0.0 numpy==2.4.6
    python3 Scripts/make-image-fixtures.py

FILE.pixels belongs to FILE: channels, height and width as 32 bits each, little-endian, and bytes as
[channel][row][column]. The files are committed; run this again only to change them.
"""

import pathlib

import numpy
from PIL import Image

FOLDER = pathlib.Path(__file__).resolve().parent.parent / "Tests" / "Fixtures" / "images"


def picture(width, height, seed):
    """Waves of colour with an edge and a little noise: something for every filter to be wrong about."""
    generator = numpy.random.default_rng(seed)
    y, x = numpy.mgrid[:height, :width]
    channels = []
    for channel in range(3):
        phase, wave = generator.uniform(0, 6, 2)
        values = 128 + 90 * numpy.sin(x / (3 + wave) + phase) * numpy.cos(y / (4 + channel) - phase)
        values += 60 * ((x + 2 * y) % 23 < 4) + generator.normal(0, 6, values.shape)
        channels.append(values)
    return Image.fromarray(numpy.clip(numpy.stack(channels, -1), 0, 255).astype(numpy.uint8))


def write_pixels(path, image):
    array = numpy.asarray(image)
    planes = numpy.ascontiguousarray(array[None] if array.ndim == 2 else array.transpose(2, 0, 1))
    path.write_bytes(numpy.array(planes.shape, "<i4").tobytes() + planes.tobytes())


def over_white(image):
    """What is transparent shows white behind it."""
    colour = image.convert("RGBA")
    flat = Image.alpha_composite(Image.new("RGBA", image.size, "white"), colour).convert("RGB")
    return flat.convert("L") if image.mode == "LA" else flat


def write(name, image, shown=None, **options):
    """Saves an image, and what it should decode to: itself, or what Pillow reads back from a lossy file."""
    path = FOLDER / name
    image.save(path, **options)
    if shown is None:
        shown = Image.open(path)
        shown = shown.convert("L" if shown.mode in ("L", "1") else "RGB")
    write_pixels(FOLDER / f"{name}.pixels", shown)


# Sizes that Pillow resizes in rows first: it swaps the two for images that become much lower and hardly narrower.
RESIZINGS = [(37, 29), (18, 14), (5, 3), (1, 1), (61, 47), (74, 29), (37, 90), (36, 30)]


def resizings():
    """What Pillow makes of colour.png in other sizes, as resize-FILTER-WIDTHxHEIGHT.pixels."""
    image = Image.open(FOLDER / "colour.png")
    for name, resampling in [("bilinear", Image.Resampling.BILINEAR), ("bicubic", Image.Resampling.BICUBIC)]:
        for width, height in RESIZINGS:
            resized = image.resize((width, height), resampling)
            write_pixels(FOLDER / f"resize-{name}-{width}x{height}.pixels", resized)
    # Only a part of the image, as cropping and then resizing gives it.
    part = image.crop((5, 3, 31, 24)).resize((16, 18), Image.Resampling.BICUBIC)
    write_pixels(FOLDER / "part-bicubic-16x18.pixels", part)


def main():
    FOLDER.mkdir(parents=True, exist_ok=True)
    colour = picture(37, 29, 1)
    write("baseline-420.jpg", colour, quality=75)
    write("baseline-422.jpg", picture(24, 31, 2), quality=90, subsampling=1)
    write("progressive-444.jpg", picture(33, 17, 3), quality=85, subsampling=0, progressive=True)
    write("grey.jpg", picture(21, 19, 4).convert("L"), quality=80)
    write("cmyk.jpg", picture(20, 18, 5).convert("CMYK"), quality=90)
    write("colour.png", colour)
    write("grey.png", picture(21, 19, 6).convert("L"))
    write("bits.png", picture(19, 13, 7).convert("1"))
    write("palette.png", picture(22, 20, 8).quantize(16))
    alpha = picture(18, 16, 9).convert("L")
    transparent = picture(18, 16, 10)
    transparent.putalpha(alpha)
    write("alpha.png", transparent, over_white(transparent))
    grey = transparent.convert("LA")
    write("grey-alpha.png", grey, over_white(grey))
    resizings()
    print(f"{sum(file.stat().st_size for file in FOLDER.iterdir()) / 1e3:.0f} kB")


if __name__ == "__main__":
    main()
