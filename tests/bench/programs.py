#!/usr/bin/env python3
"""programs.py CLAUSEWATCH DIR LIST: the program beside others, as a table.

LIST holds the paths of documents, each ended by a NUL; DIR is for temporary files.
"""
import os
import shutil
import statistics
import subprocess
import sys
import time

ROUNDS = 3
PUSHES = 20
AGREEMENTS = 2000

# What somebody with a search tool would look for.
PHRASES = """usage data
customer data
aggregated data
de-identified
anonymized
machine learning
artificial intelligence
train
improve our services
product improvement
derivative works
perpetual
irrevocable
royalty-free
sublicense
limitation of liability
consequential damages
indemnify
hold harmless
as is
sole discretion
without notice
automatically renew
terminate
suspend
governing law
arbitration
class action
third parties
affiliates
subprocessors
personal data
confidential
survive
audit
insurance
"""


def run(argv, **kw):
    """(seconds, peak KiB) of the process that argv becomes."""
    began = time.monotonic()
    child = subprocess.Popen(argv, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, **kw)
    _, status, usage = os.wait4(child.pid, 0)
    took = time.monotonic() - began
    child.returncode = os.waitstatus_to_exitcode(status)
    if child.returncode not in (0, 1):
        sys.exit(f"error: {argv[0]} {argv[1]} ended with {child.returncode}")
    return took, usage.ru_maxrss


def best(argv):
    runs = [run(argv) for _ in range(ROUNDS)]
    return min(r[0] for r in runs), max(r[1] for r in runs)


def p95(values):
    return sorted(values)[int(len(values) * 0.95 + 0.5) - 1]


def texts(program, tmp, files):
    size = sum(os.path.getsize(f) for f in files) / 1e6
    print(f"== {len(files)} documents, {size:.1f} MB, one thread, best of {ROUNDS}")
    phrases = os.path.join(tmp, "phrases")
    with open(phrases, "w", encoding="utf-8") as f:
        f.write(PHRASES)
    rows = [("clausewatch scan", [program, "scan", "--jobs", "1", "-f", "jsonl", *files]),
            ("wc -w", ["wc", "-w", *files])]
    if shutil.which("rg"):
        rows.append((f"rg -c -i -f, {len(PHRASES.splitlines())} phrases",
                     ["rg", "-j1", "-c", "-i", "-f", phrases, *files]))
    ours = None
    print(f"{'':28}{'seconds':>9}{'MB/s':>9}{'peak MiB':>10}{'scan takes':>13}")
    for name, argv in rows:
        took, peak = best(argv)
        ours = ours or took
        print(f"{name:28}{took:9.3f}{size / took:9.1f}{peak / 1024:10.1f}{ours / took:10.2f} x")
    if len(rows) < 3:
        print("rg is not there and was left out")


def cold_start(program, tmp):
    path = os.path.join(tmp, "line.txt")
    with open(path, "w", encoding="utf-8") as f:
        f.write("Vendor may use Customer Data to train its models.\n")
    took = [run([program, "scan", "-f", "jsonl", path])[0] * 1000 for _ in range(20)]
    print(f"== scan of one line, 20 runs\nmedian {statistics.median(took):.1f} ms, "
          f"p95 {p95(took):.1f} ms")


def git(where, *args):
    subprocess.run(["git", "-C", where, *args], check=True, stdout=subprocess.DEVNULL)


def make_repositories(program, tmp, files):
    work, plain, hooked = (os.path.join(tmp, n) for n in ("work", "plain.git", "hooked.git"))
    git(tmp, "init", "-q", "-b", "main", work)
    for i in range(AGREEMENTS):
        directory = os.path.join(work, f"customer-{i % 50}")
        os.makedirs(directory, exist_ok=True)
        source = files[i % len(files)]
        shutil.copy(source, os.path.join(directory, f"{i}{os.path.splitext(source)[1]}"))
    git(work, "add", "-A")
    git(work, "commit", "-q", "-m", "agreements")
    for bare in (plain, hooked):
        git(tmp, "clone", "-q", "--bare", work, bare)
        git(work, "remote", "add", os.path.basename(bare), bare)
    hook = os.path.join(hooked, "hooks", "pre-receive")
    os.makedirs(os.path.dirname(hook), exist_ok=True)
    with open(hook, "w", encoding="utf-8") as f:
        f.write(f"#!/bin/sh\nexec '{os.path.realpath(program)}' hook pre-receive\n")
    os.chmod(hook, 0o755)
    return work


def pushes(program, tmp, files):
    config = os.path.join(tmp, "config.yaml")
    open(config, "w", encoding="utf-8").close()
    os.environ.update(HOME=tmp, GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_NOSYSTEM="1",
                      GIT_AUTHOR_NAME="a", GIT_AUTHOR_EMAIL="a@example.com",
                      GIT_COMMITTER_NAME="a", GIT_COMMITTER_EMAIL="a@example.com",
                      CLAUSEWATCH_CONFIG=config)
    work = make_repositories(program, tmp, files)
    took = {"plain.git": [], "hooked.git": []}
    changed = os.path.join(work, "customer-7", sorted(os.listdir(f"{work}/customer-7"))[0])
    for i in range(PUSHES):
        with open(changed, "a", encoding="utf-8") as f:
            f.write(f"\nNotices number {i} are sent by post to the registered office.\n")
        git(work, "commit", "-q", "-a", "-m", "edit")
        for remote in sorted(took, reverse=i % 2 == 0):
            began = time.monotonic()
            git(work, "push", "-q", remote, "main")
            took[remote].append((time.monotonic() - began) * 1000)
    print(f"== push of one changed agreement among {AGREEMENTS:,}, {PUSHES} pushes")
    for name, times in (("without hook", took["plain.git"]), ("with hook", took["hooked.git"])):
        print(f"{name:28}median {statistics.median(times):6.1f} ms, p95 {p95(times):6.1f} ms")
    added = [b - a for a, b in zip(took["plain.git"], took["hooked.git"])]
    print(f"{'added by the hook':28}median {statistics.median(added):6.1f} ms, "
          f"p95 {p95(added):6.1f} ms")


def main():
    program, tmp, listing = sys.argv[1:]
    with open(listing, encoding="utf-8") as f:
        files = [name for name in f.read().split("\0") if name]
    texts(program, tmp, files)
    cold_start(program, tmp)
    pushes(program, tmp, files)


if __name__ == "__main__":
    main()
