"""The tiny example course: plain Python, two exercises, ten points."""

from nbproctor import proctor

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = "tiny"
c.ClearSolutions.code_stub = {"python": "raise NotImplementedError  # your code here"}
# A locked, ungraded cell may consist of a hidden-test region: tools of the tests.
c.ClearHiddenTests.enforce_metadata = False

# Submissions are repaired, run in a sandbox, and tested outside it.
proctor(c)
