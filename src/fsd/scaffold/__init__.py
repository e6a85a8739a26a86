"""A folder → its first Service YAML and its first workflow, for `fsd init`.

    read_folder(path)  ─▶  Folder  ─▶  detect  ─▶  Detected  ─ answers ─▶  Answers
                                                                              │
                                         service.yml, .github/workflows/deploy.yml

Only `folder` reads files, and it reads few and small ones. Nothing of the folder is imported or
run: Python is parsed, and everything that is found says where it was found.
"""
