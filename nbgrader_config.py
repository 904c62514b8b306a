"""The course, as nbgrader and nbproctor read it."""

from nbproctor import proctor

c = get_config()  # noqa: F821

# Submissions are graded by nbproctor, under nbgrader's own commands too.
proctor(c)

# The reference needs less than a tenth of a second for its longest call.
c.Nbproctor.call_seconds = 5

c.CourseDirectory.course_id = "neural_networks"

# The lab of a command that names none; for the other: kit.py lab honest_evaluation
c.Nbproctor.assignment = "neural_network"

# Written by section 7 of the lab, wherever it runs: no files of the assignment's.
c.CourseDirectory.ignore.extend(["my_network.html", "contest_looks.txt"])

# What a student finds in place of a solution.
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError  # your code here"}

# Where nbgrader itself runs a notebook, as Validate does: one kernel for everybody,
c.ExecutePreprocessor.kernel_name = "python3"
# and seconds for one cell, enough to train on an old laptop.
c.ExecutePreprocessor.timeout = 120
