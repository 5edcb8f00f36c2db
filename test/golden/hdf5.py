# Makes hdf5/*: HDF5 files in the formats of several versions, with every way in which values are stored, hdf5.json: what
# h5py reads from them, and files that lead out of themselves or in circles.
# Run with h5py 3.14, in this folder: python hdf5.py
import itertools
import json
import os

import h5py
import numpy as np

FOLDER = "hdf5"
random = np.random.default_rng(1)

def values(shape, dtype):
    return (np.round(random.standard_normal(shape) * 400) / 8).astype(dtype)

def fill(file, is_new):
    for dtype in ["f2", "f4", "f8", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", ">f4", ">f8", ">i4", "?"]:
        file["types/" + dtype.replace(">", "big_").replace("?", "bool")] = np.abs(values((3, 4), dtype))
    file["scalar"] = np.float32(3)
    file["empty"] = np.zeros((0, 3), "f4")
    chunks = file.create_group("chunks")
    options = itertools.product([(5, 7), (10, 12)], [None, "gzip"], [False, True], [False, True])
    for i, (chunk, compression, shuffle, fletcher32) in enumerate(options):
        chunks.create_dataset(f"c{i}", data=values((10, 12), "f4"), chunks=chunk, compression=compression, shuffle=shuffle, fletcher32=fletcher32)
    chunks.create_dataset("line", data=values((400,), "i2"), chunks=(7,), compression="gzip", fletcher32=True)
    chunks.create_dataset("four", data=values((3, 5, 4, 6), "f8"), chunks=(2, 2, 3, 4), shuffle=True, compression="gzip")
    properties = h5py.h5p.create(h5py.h5p.DATASET_CREATE)
    properties.set_layout(h5py.h5d.COMPACT)
    compact = h5py.h5d.create(file.id, b"compact", h5py.h5t.IEEE_F32LE, h5py.h5s.create_simple((3, 4)), properties)
    compact.write(h5py.h5s.ALL, h5py.h5s.ALL, values((3, 4), "f4"))
    many = file.create_group("many")
    for i in range(60):
        many.create_group(f"a_layer_with_a_long_name_{i}")
    texts = file.create_group("texts")
    for i in range(20):
        texts.attrs[f"a{i}"] = f"text {i} é"
    texts.attrs["fixed"] = np.array([b"abc", b"longer one"])
    texts.attrs["list"] = ["x", "yy", ""]
    texts.attrs["numbers"] = np.arange(5.0)
    texts.attrs["none"] = np.array([])
    texts.attrs["bytes"] = np.bytes_("hello")
    texts.attrs["json"] = json.dumps(list(range(900)))
    if is_new: # too large for a header
        texts.attrs["long"] = np.array([b"q" * 100] * 700)
    file["soft"] = h5py.SoftLink("/types/f4")
    file["types/near"] = h5py.SoftLink("f4")
    file["type"] = np.dtype("f4")
    file.create_dataset("named", data=values((4,), "f4"), dtype=file["type"])

def texts_of(value):
    if isinstance(value, (str, bytes)):
        return [value.decode() if isinstance(value, bytes) else value]
    array = np.asarray(value)
    return [each.decode() if isinstance(each, bytes) else each for each in array.ravel().tolist()] if array.dtype.kind in "SO" else []

def read(file):
    found = {"keys": {"/": sorted(file.keys())}, "values": {}, "texts": {}}
    def visit(name, item):
        if isinstance(item, h5py.Group):
            found["keys"]["/" + name] = sorted(item.keys())
            if item.attrs:
                found["texts"]["/" + name] = {key: texts_of(value) for key, value in item.attrs.items()}
        elif isinstance(item, h5py.Dataset):
            found["values"]["/" + name] = np.asarray(item[()]).astype("f4").ravel().tolist()
    file.visititems(visit)
    for name in ["soft", "types/near"]:
        found["values"]["/" + name] = file[name][()].ravel().tolist()
    return found

truth = {}
for name, options in {
    "old.h5": {"libver": "earliest"},
    "ordered.h5": {"libver": ("v110", "v110"), "track_order": True, "userblock_size": 512},
    "newest.h5": {"libver": "latest"},
}.items():
    with h5py.File(f"{FOLDER}/{name}", "w", **options) as file:
        fill(file, name != "old.h5")
    with h5py.File(f"{FOLDER}/{name}") as file:
        truth[name] = read(file)
with open("hdf5.json", "w") as file:
    json.dump(truth, file)

# Files of weights that Keras would save, whose one dense layer lies elsewhere. There is nothing at those places.
def weights(name, put):
    with h5py.File(f"{FOLDER}/{name}.weights.h5", "w") as file:
        put(file, file.create_group("layers/dense/vars"))

def virtual(file, place):
    layout = h5py.VirtualLayout(shape=(3, 4), dtype="<f4")
    layout[...] = h5py.VirtualSource("outside.h5", "x", shape=(3, 4))
    place.create_virtual_dataset("0", layout)

def soft(file, place):
    place["0"] = h5py.SoftLink("/layers/dense/vars/1")
    place["1"] = h5py.SoftLink("/layers/dense/vars/0")

def around(file, place):
    file["layers/dense/layers"] = file["layers"]

def outside_group(file, place):
    file["layers/other"] = h5py.ExternalLink("outside.h5", "/x")

weights("externalLink", lambda file, place: place.__setitem__("0", h5py.ExternalLink("outside.h5", "/x")))
weights("externalGroup", outside_group)
weights("externalStorage", lambda file, place: place.create_dataset("0", shape=(3, 4), dtype="<f4", external=[("outside.bin", 0, 48)]))
weights("virtual", virtual)
weights("softCircle", soft)
weights("softOut", lambda file, place: (file.__setitem__("out", h5py.ExternalLink("outside.h5", "/")), place.__setitem__("0", h5py.SoftLink("/out/x"))))
weights("hardCircle", around)
weights("unwritten", lambda file, place: place.create_dataset("0", shape=(3, 4), dtype="<f4"))
weights("lzf", lambda file, place: place.create_dataset("0", data=np.ones((30, 40), "f4"), compression="lzf"))
# A network with packed weights, and one whose chunks have checksums.
for name, options in {"gzip": {"compression": "gzip", "shuffle": True}, "fletcher32": {"fletcher32": True}}.items():
    weights(name, lambda file, place: [place.create_dataset(str(i), data=np.arange(1, 13, dtype="f4").reshape(3, 4) / 7, **options) for i in range(2)])
