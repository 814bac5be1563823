"""`mesh render`: the objects of each cluster as files, for those who let Argo CD or Flux apply them.

`objects.py` chooses and orders them, `folder.py` puts them into a folder, `command.py` is for people.
"""
