"""Packages that courses use: an example of each, whose last line must hold."""

from __future__ import annotations

EXAMPLES = """
=== altair
import altair, pandas
table = pandas.DataFrame({"x": [1, 2], "y": [3, 4]})
chart = altair.Chart(table).mark_point().encode(x="x", y="y")
chart.to_dict()["mark"]["type"] == "point"
=== astropy
from astropy import units
(1 * units.km).to(units.m).value == 1000
=== bokeh
from bokeh.embed import file_html
from bokeh.plotting import figure
from bokeh.resources import INLINE
page = figure()
page.line([1, 2], [3, 4])
"<html" in file_html(page, INLINE)
=== bs4
from bs4 import BeautifulSoup
BeautifulSoup("<p>one</p>", "html.parser").p.text == "one"
=== cv2
import cv2, numpy
image = numpy.zeros((8, 8), numpy.uint8)
image[2:6, 2:6] = 255
cv2.imwrite("a.png", cv2.GaussianBlur(image, (3, 3), 0))
cv2.imread("a.png").shape == (8, 8, 3)
=== dask
import dask.array
int(dask.array.ones((10, 10), chunks=5).sum().compute()) == 100
=== duckdb
import duckdb
duckdb.sql("select 6 * 7").fetchall() == [(42,)]
=== folium
import folium
"leaflet" in folium.Map([0, 0]).get_root().render()
=== gensim
from gensim.models import Word2Vec
model = Word2Vec([["a", "b"], ["b", "c"]] * 5, vector_size=4, min_count=1)
model.wv["a"].shape == (4,)
=== geopandas
import geopandas
from shapely.geometry import Point
places = geopandas.GeoDataFrame({"n": [1]}, geometry=[Point(0, 0)], crs=4326)
places.to_crs(3857).area.sum() == 0
=== gymnasium
import gymnasium
game = gymnasium.make("CartPole-v1")
first, _ = game.reset(seed=0)
first.shape == (4,) and len(game.step(0)) == 5
=== h5py
import h5py
with h5py.File("a.h5", "w") as file:
    file["x"] = [1, 2]
h5py.File("a.h5")["x"][1] == 2
=== ipywidgets
import ipywidgets
ipywidgets.IntSlider(3).value == 3
=== lightgbm
import lightgbm, numpy
x = numpy.arange(100.0).reshape(-1, 1)
model = lightgbm.LGBMRegressor(n_estimators=5, verbose=-1).fit(x, x[:, 0])
model.predict(x).shape == (100,)
=== lxml
from lxml import etree
etree.fromstring("<a><b>1</b></a>").find("b").text == "1"
=== matplotlib
import matplotlib.pyplot as plt
figure, axes = plt.subplots()
axes.plot([1, 2])
figure.savefig("a.png")
plt.close()
len(axes.lines) == 1
=== networkx
import networkx
networkx.shortest_path(networkx.path_graph(4), 0, 3) == [0, 1, 2, 3]
=== nltk
from nltk.stem import PorterStemmer
from nltk.tokenize import wordpunct_tokenize
words = wordpunct_tokenize("runs fast")
[PorterStemmer().stem(word) for word in words] == ["run", "fast"]
=== numba
from numba import njit, prange
@njit
def total(n):
    s = 0
    for i in range(n):
        s += i
    return s
@njit(parallel=True)
def shared(n):
    s = 0
    for i in prange(n):
        s += i
    return s
total(10) == shared(10) == 45
=== numpy
import numpy
numpy.linalg.solve([[2.0]], [4.0])[0] == 2
=== openpyxl
import openpyxl, pandas
pandas.DataFrame({"a": [1]}).to_excel("a.xlsx", index=False)
pandas.read_excel("a.xlsx").a[0] == 1
=== pandas
import pandas
table = pandas.DataFrame({"k": ["a", "b", "a"], "x": [1, 2, 3]})
table.to_csv("a.csv", index=False)
pandas.read_csv("a.csv").groupby("k").x.sum()["a"] == 4
=== PIL
from PIL import Image, ImageFilter
Image.new("RGB", (4, 4)).filter(ImageFilter.BLUR).save("a.jpg")
Image.open("a.jpg").size == (4, 4)
=== plotly
import plotly.express
figure = plotly.express.scatter(x=[1, 2], y=[3, 4])
"plotly" in figure.to_html() and len(figure.data) == 1
=== polars
import polars
table = polars.DataFrame({"k": ["a", "b", "a"], "x": [1, 2, 3]})
sums = table.group_by("k").agg(polars.col("x").sum())
sums.filter(polars.col("k") == "a")["x"][0] == 4
=== pyarrow
import pyarrow, pyarrow.parquet
pyarrow.parquet.write_table(pyarrow.table({"x": [1, 2]}), "a.parquet")
pyarrow.parquet.read_table("a.parquet")["x"].to_pylist() == [1, 2]
=== requests
import requests
request = requests.Request("GET", "http://example.org", params={"a": 1})
request.prepare().url.endswith("?a=1")
=== scipy
from scipy import integrate, optimize, stats
assert round(stats.norm.cdf(0), 3) == 0.5
assert round(integrate.quad(lambda x: x, 0, 2)[0]) == 2
optimize.brentq(lambda x: x - 1, 0, 3) == 1
=== seaborn
import pandas, seaborn
table = pandas.DataFrame({"x": [1, 2, 3], "y": [1, 2, 3]})
len(seaborn.regplot(table, x="x", y="y").lines) == 1
=== shapely
from shapely.geometry import Point
round(Point(0, 0).buffer(1).area, 1) == 3.1
=== skimage
import numpy
from skimage import filters, measure
assert filters.sobel(numpy.eye(8)).shape == (8, 8)
measure.label(numpy.eye(3) > 0).max() == 1
=== sklearn
import numpy
from sklearn.cluster import KMeans
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import GridSearchCV, cross_val_score
from sklearn.neighbors import KNeighborsClassifier
x = numpy.array([[0.0], [0.1], [0.2], [5.0], [5.1], [5.2]])
y = [0, 0, 0, 1, 1, 1]
assert len({*KMeans(2, n_init=1).fit(x).labels_}) == 2
assert RandomForestClassifier(5, n_jobs=2).fit(x, y).predict(x).shape == (6,)
search = GridSearchCV(LogisticRegression(), {"C": [1, 2]}, cv=3, n_jobs=2)
assert search.fit(x, y).best_score_ == 1
assert cross_val_score(LogisticRegression(), x, y, cv=3).mean() == 1
[*KNeighborsClassifier(1).fit(x, y).predict(x)] == y
=== spacy
import spacy
[token.text for token in spacy.blank("en")("One two.")] == ["One", "two", "."]
=== sqlalchemy
import sqlalchemy
engine = sqlalchemy.create_engine("sqlite:///a.db")
with engine.begin() as connection:
    connection.execute(sqlalchemy.text("create table t (x)"))
    connection.execute(sqlalchemy.text("insert into t values (3)"))
    rows = connection.execute(sqlalchemy.text("select x from t")).all()
rows == [(3,)]
=== sqlite3
import sqlite3
connection = sqlite3.connect("b.db")
connection.execute("create table t (x)")
connection.execute("insert into t values (3)")
connection.commit()
sqlite3.connect("b.db").execute("select x from t").fetchall() == [(3,)]
=== statsmodels
import numpy, statsmodels.api
x = numpy.arange(10.0)
round(statsmodels.api.OLS(2 * x + numpy.sin(x), x).fit().params[0], 1) == 2
=== sympy
import sympy
x = sympy.symbols("x")
sympy.solve(x**2 - 4, x) == [-2, 2] and sympy.lambdify(x, x + 1)(1) == 2
=== tensorflow
import tensorflow
model = tensorflow.keras.Sequential([tensorflow.keras.layers.Dense(1)])
model.compile("sgd", "mse")
model.fit(tensorflow.ones((8, 2)), tensorflow.ones((8, 1)), verbose=0)
model.predict(tensorflow.ones((1, 2)), verbose=0).shape == (1, 1)
=== textblob
from textblob import TextBlob
TextBlob("good").sentiment.polarity > 0
=== torch
import torch
from torch.utils.data import DataLoader, TensorDataset
model = torch.nn.Linear(2, 1)
optimizer = torch.optim.SGD(model.parameters(), 0.1)
for x, y in DataLoader(TensorDataset(torch.ones(8, 2), torch.ones(8, 1)), batch_size=4):
    optimizer.zero_grad()
    torch.nn.functional.mse_loss(model(x), y).backward()
    optimizer.step()
torch.save(model.state_dict(), "a.pt")
torch.load("a.pt")["weight"].shape == (1, 2)
=== tqdm
from tqdm import tqdm
sum(tqdm([1, 2])) == 3
=== xarray
import xarray
xarray.DataArray([[1, 2], [3, 4]], dims=("a", "b")).mean("a").values.tolist() == [2, 3]
=== xgboost
import numpy, xgboost
x = numpy.arange(100.0).reshape(-1, 1)
xgboost.XGBRegressor(n_estimators=5).fit(x, x[:, 0]).predict(x).shape == (100,)
=== yaml
import yaml
yaml.safe_load("a: [1]") == {"a": [1]}
"""
_EXAMPLES = EXAMPLES.strip().removeprefix("=== ").split("\n=== ")
PACKAGES: dict[str, str] = dict(part.split("\n", 1) for part in _EXAMPLES)
# What does not work in the sandbox, and why.
REFUSED = {
    "dask": "its import asks psutil, which reads /proc: that is hidden",
    "tensorflow": "the process ends as it makes its first tensor",
    "xarray": "where Dask is installed, it imports Dask",
}
