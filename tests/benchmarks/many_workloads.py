"""A git repository of 1,000 workloads as people write them, and a commit that changes every one."""

from __future__ import annotations

import subprocess
from pathlib import Path

WORKLOADS = 1_000
TEAMS = 40
_MANIFEST = """\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {name}
  namespace: {team}
  labels:
    app.kubernetes.io/name: {name}
    app.kubernetes.io/part-of: shop
    team: {team}
spec:
  replicas: {replicas}
  revisionHistoryLimit: 5
  strategy:
    type: RollingUpdate
    rollingUpdate:
      maxSurge: 25%
      maxUnavailable: 0
  selector:
    matchLabels:
      app.kubernetes.io/name: {name}
  template:
    metadata:
      labels:
        app.kubernetes.io/name: {name}
        app.kubernetes.io/part-of: shop
        team: {team}
      annotations:
        prometheus.io/scrape: "true"
        prometheus.io/port: "9102"
    spec:
      serviceAccountName: {name}
      terminationGracePeriodSeconds: 45
      securityContext:
        runAsNonRoot: true
        fsGroup: 1000
      containers:
        - name: service
          image: registry.example.com/shop/{name}:1.4.2
          args: ["--listen=:8080", "--metrics=:9102"]
          ports:
            - name: http
              containerPort: 8080
            - name: metrics
              containerPort: 9102
          env:
            - name: LOG_LEVEL
              value: info
            - name: DATABASE_URL
              valueFrom:
                secretKeyRef:
                  name: {name}
                  key: database-url
            - name: POD_NAME
              valueFrom:
                fieldRef:
                  fieldPath: metadata.name
            - name: FEATURES
              value: "checkout,search,recommendations"
          envFrom:
            - configMapRef:
                name: {name}
          resources:
            requests:
              cpu: {cpu}m
              memory: {memory}Mi
            limits:
              memory: {limit}Mi
          readinessProbe:
            httpGet:
              path: /ready
              port: http
            initialDelaySeconds: 5
            periodSeconds: 10
          livenessProbe:
            httpGet:
              path: /alive
              port: http
            periodSeconds: 20
            failureThreshold: 3
          volumeMounts:
            - name: config
              mountPath: /etc/service
              readOnly: true
            - name: scratch
              mountPath: /tmp
      volumes:
        - name: config
          configMap:
            name: {name}
        - name: scratch
          emptyDir:
            sizeLimit: 1Gi
"""


def manifest(number: int, *, changed: bool) -> str:
    """One Deployment; the change asks for 50 millicores more."""
    return _MANIFEST.format(
        name=f"service-{number}",
        team=f"team-{number % TEAMS:02}",
        replicas=2 + number % 5,
        cpu=100 + 10 * (number % 50) + (50 if changed else 0),
        memory=256 + number % 64,
        limit=512 + number % 64,
    )


def make_repository(folder: Path, workloads: int = WORKLOADS) -> Path:
    """Two commits, a file a workload and a folder a team. `HEAD~1` to `HEAD` changes every one."""
    folder.mkdir(parents=True)
    _git(folder, "init", "--quiet", "--initial-branch=main")
    for changed in (False, True):
        for number in range(workloads):
            file = folder / "apps" / f"team-{number % TEAMS:02}" / f"service-{number}.yaml"
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_text(manifest(number, changed=changed), encoding="utf-8")
        _git(folder, "add", "--all")
        _git(folder, "commit", "--quiet", "--message", "More cores" if changed else "Start")
    return folder


def _git(folder: Path, *arguments: str) -> None:
    author = ("-c", "user.name=A", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    subprocess.run(["git", "-C", str(folder), *author, *arguments], check=True, capture_output=True)
