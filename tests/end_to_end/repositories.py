"""Git repositories and manifests that the tests make."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Mapping
from pathlib import Path

Files = Mapping[str, str | bytes]

_AUTHOR = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")


class Repository:
    """A git repository in `folder`, new and on the branch `main`."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir(parents=True, exist_ok=True)
        self.git("init", "--quiet", "--initial-branch=main")

    def git(self, *arguments: str) -> str:
        """What git prints."""
        command = ["git", "-C", str(self.folder), *_AUTHOR, *arguments]
        return subprocess.run(command, check=True, capture_output=True).stdout.decode().strip()

    def write(self, files: Files) -> None:
        """Write files into the working tree."""
        write(self.folder, files)

    def commit(self, files: Files | None = None, *, only: bool = False) -> str:
        """Commit the working tree after writing the files; `only` these. Its id."""
        if only:
            for path in self.folder.iterdir():
                if path.name != ".git":
                    shutil.rmtree(path) if path.is_dir() else path.unlink()
        self.write(files or {})
        self.git("add", "--all", "--force")
        self.git("commit", "--quiet", "--allow-empty", "--message=A change")
        return self.git("rev-parse", "HEAD")


def write(folder: Path, files: Files) -> Path:
    """Write files below a folder."""
    for name, content in files.items():
        file = folder / name
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(
            content if isinstance(content, bytes) else content.encode("utf-8", "surrogateescape")
        )
    return folder


def deployment(
    name: str = "api",
    *,
    namespace: str = "shop",
    replicas: object = 2,
    cpu: str = "500m",
    memory: str = "1Gi",
    limit: str = "1Gi",
) -> str:
    """A Deployment of one container, with nothing in it that a rule would remark on."""
    return f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {namespace}
spec:
  replicas: {replicas}
  selector: {{matchLabels: {{app: {name}}}}}
  template:
    metadata: {{labels: {{app: {name}}}}}
    spec:
      containers:
        - name: app
          image: registry.example.com/{name}:1.0.0
          resources:
            requests: {{cpu: {cpu}, memory: {memory}}}
            limits: {{memory: {limit}}}
"""
