"""The lab's data: find the files, or download them, and read them.

Another data set in the IDX format, with pictures of the same size, is another table
`DATA`; nothing else here or in the notebook has to change.
"""

import gzip
import hashlib
import zlib
from pathlib import Path
from urllib.request import urlretrieve

import matplotlib.pyplot as plt
import numpy as np

try:
    import wget
except ModuleNotFoundError:  # as in Colab
    wget = None

DATA = {
    "folder": "data/mnist",
    # Images, then labels: name, SHA-256 of the unzipped file.
    "files": {
        "train-images-idx3-ubyte": "ba891046e6505d7aadcbbe25680a0738ad16aec93bde7f9b65e87a2fc25776db",  # noqa: E501
        "train-labels-idx1-ubyte": "65a50cbbf4e906d70832878ad85ccda5333a97f0f4c3dd2ef09a8a9eef7101c5",  # noqa: E501
    },
    # Tried in this order; {} is the name of a file.
    "urls": [
        "https://dru.fra1.digitaloceanspaces.com/DS_Fundamentals/datasets/04_supervised_learning/Neural_Network/{}",
        "https://ossci-datasets.s3.amazonaws.com/mnist/{}.gz",
        "https://storage.googleapis.com/cvdf-datasets/mnist/{}.gz",
    ],
    "class_names": ["0", "1", "2", "3", "4", "5", "6", "7", "8", "9"],
}
CLASS_NAMES = DATA["class_names"]
N_TRAIN = 5_000


def find_files():
    """Paths of the images and of the labels, checked; downloaded if need be."""
    return [find_data(name) for name in DATA["files"]]


def find_data(name):
    """Path of a data file: in the data folder here or above, here, or downloaded."""
    current = Path.cwd()
    folders = [folder / DATA["folder"] for folder in (current, *current.parents)]
    folders.append(current)
    for path in (folder / f"{name}{end}" for folder in folders for end in ("", ".gz")):
        if path.is_file():
            if is_intact(path, name):
                return path
            print(f"{path} is damaged, or is another file. It was left as it was.")
    return download(name)


def download(name):
    """Download a data file into the working directory; whole, or not at all."""
    problems = []
    for url in (pattern.format(name) for pattern in DATA["urls"]):
        target = Path(name + (".gz" if url.endswith(".gz") else ""))
        part = Path(f"{target.stem}.part{target.suffix}")
        try:
            if wget is None:
                urlretrieve(url, part)
            else:
                wget.download(url, str(part), bar=None)
            if is_intact(part, name):
                return part.replace(target)
            problems.append(f"{url}: not the expected file")
        except OSError as error:
            problems.append(f"{url}: {error}")
        finally:
            part.unlink(missing_ok=True)
    raise FileNotFoundError(
        f"Could not download {name}. Check your network, or put the file into a folder "
        f"{DATA['folder']}/ next to this notebook, and run this cell again.\n"
        + "\n".join(problems)
    )


def is_intact(path, name):
    """Whether the file at `path` is exactly the data file `name`."""
    try:
        return hashlib.sha256(read_bytes(path)).hexdigest() == DATA["files"][name]
    except (OSError, EOFError, zlib.error):
        return False


def read_bytes(path):
    """Read a file, unpacked when its name ends in .gz."""
    with (gzip.open if Path(path).suffix == ".gz" else open)(path, "rb") as file:
        return file.read()


def read_idx(path, magic, n_header):
    """Items of one IDX file, shaped as its header says; ValueError if it is not one."""
    try:
        raw = read_bytes(path)
    except (EOFError, zlib.error, gzip.BadGzipFile) as error:
        raise ValueError(f"{path}: not a whole gzip file ({error})") from error
    header = np.frombuffer(raw[: 4 * n_header], dtype=">i4")
    if header.size < n_header or header[0] != magic:
        raise ValueError(f"{path}: not an IDX file of this kind (wrong first bytes)")
    sizes = tuple(int(size) for size in header[1:])
    n_expected = int(np.prod(sizes))
    n_bytes = len(raw) - 4 * n_header
    if n_bytes != n_expected:
        raise ValueError(
            f"{path}: holds {n_bytes} bytes of data where its header says {n_expected}"
        )
    return np.frombuffer(raw, dtype=np.uint8, offset=4 * n_header).reshape(sizes)


def read_mnist(images_path, labels_path):
    """Images (n, 784) and labels (n,), both uint8; ValueError names a bad file."""
    images = read_idx(images_path, 2051, 4)
    labels = read_idx(labels_path, 2049, 2)
    if len(images) != len(labels):
        raise ValueError(
            f"{labels_path}: {len(labels)} labels, "
            f"but {len(images)} images in {images_path}"
        )
    return images.reshape(len(images), -1), labels


def shuffle_data(features, labels, random_seed=42):
    """Both arrays in the same new order; ValueError if their lengths differ."""
    if len(features) != len(labels):
        raise ValueError(f"{len(features)} examples, but {len(labels)} labels")
    np.random.seed(random_seed)
    order = np.random.permutation(len(features))
    return features[order], labels[order]


def load_data(paths=None):
    """Raw pixels and labels, shuffled; one example is one column.

    Parameters
    ----------
    paths : the two of `find_files`, optional

    Returns
    -------
    train_set_x (784, 5000), test_set_x (784, 55000), train_set_y (1, 5000),
    test_set_y (1, 55000) : uint8 arrays
    """
    images, labels = shuffle_data(*read_mnist(*(paths or find_files())))
    labels = labels.reshape(1, -1)
    return (
        images[:N_TRAIN].T,
        images[N_TRAIN:].T,
        labels[:, :N_TRAIN],
        labels[:, N_TRAIN:],
    )


def plot_digit(x_set, y_set, idx, ax=None):
    """Draw column `idx` of `x_set` with its true label."""
    ax = ax or plt.gca()
    ax.imshow(x_set[:, idx].reshape(28, 28), cmap="gray_r")
    ax.set(title=f"label {CLASS_NAMES[y_set[0, idx]]}", xticks=[], yticks=[])
    ax.axis("off")
