# Makes posterize.json: every value of a byte, and what Pillow's ImageOps.posterize makes of it with 1 to 8 bits.
# Run with Pillow 12.3: python3 posterize.py > posterize.json
import json

from PIL import Image, ImageOps

picture = Image.frombytes("L", (16, 16), bytes(range(256)))
print(json.dumps({bits: list(ImageOps.posterize(picture, bits).tobytes()) for bits in range(1, 9)}))
