"""`mesh verify`: whether HelloWorld is answered from everywhere, and where to look if it is not.

Asking (`asking.py`) runs curl in the client of each cluster. What else can be seen of the application is in `there.py`;
what keeps clusters from each other is what `mesh check` finds, put in the order in which a person would look
(`causes.py`). Judging and printing need no cluster.
"""
