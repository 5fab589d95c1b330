#!/usr/bin/env python3
"""Does the README show what the programs print?

usage: readme.py [--update]

Every ```console block of README.md begins with "$ COMMAND" lines; what follows each is its output.
The block runs in a scratch directory after the commands of an HTML comment "<!-- setup: ... -->" that
may stand before it.  Numbers that no two runs share (seconds, temporary paths) count as equal.
Prints a TAP line a command; --update writes what the programs print into the README instead.
"""
import os, re, subprocess, sys, tempfile

ROOT = os.path.dirname(os.path.dirname(os.path.dirname(os.path.abspath(__file__))))
BUILD = os.path.join(ROOT, os.environ.get("B", "build"))


def masked(text):
    text = re.sub(r"\d+\.\d\d s\b", "N s", text)
    text = re.sub(r"/tmp/[\w./-]*", "/tmp/X", text)
    text = re.sub(r"\b[0-9a-f]{7}\.\.[0-9a-f]{7}\b", "A..B", text)
    text = re.sub(r"\.yaml:\d+", ".yaml:N", text)
    text = re.sub(r"\d+ examples of \d+ rules", "N examples of N rules", text)
    return "\n".join(line.rstrip() for line in text.strip().split("\n"))


def run(setup, command, cwd):
    env = dict(os.environ, PATH=BUILD + ":" + os.path.join(BUILD, "tests") + ":" + os.environ["PATH"], ROOT=ROOT, NO_COLOR="1", LC_ALL="C.UTF-8",
               CLAUSEWATCH_RULES=os.path.join(ROOT, "config/rules"), GIT_CONFIG_GLOBAL="/dev/null", GIT_CONFIG_SYSTEM="/dev/null",
               GIT_AUTHOR_NAME="Dana", GIT_AUTHOR_EMAIL="dana@example.com", GIT_COMMITTER_NAME="Dana", GIT_COMMITTER_EMAIL="dana@example.com")
    if setup:
        subprocess.run(["bash", "-ec", setup], cwd=cwd, env=env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, timeout=60, check=True)
    r = subprocess.run(["bash", "-c", command], cwd=cwd, env=env, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=60)
    return r.stdout.decode("utf-8", "replace").replace(ROOT + "/", "")


def main():
    update = "--update" in sys.argv
    path = os.path.join(ROOT, "README.md")
    text = open(path, encoding="utf-8").read()
    block = re.compile(r"(?:<!-- setup: (?P<setup>.*?) -->\n)?```console\n(?P<body>.*?)```\n", re.S)
    count = bad = 0
    out, last = [], 0
    with tempfile.TemporaryDirectory() as scratch:
        subprocess.run(["cp", "-r", os.path.join(ROOT, "config/samples/contracts"), scratch], check=True)
        for m in block.finditer(text):
            setup, parts = m["setup"], re.split(r"(?m)^\$ ", m["body"])[1:]
            body = ""
            for part in parts:
                command, _, shown = part.partition("\n")
                got = run(setup, command, scratch)
                setup = None
                cut = shown.rstrip().endswith("...")
                same = masked(got).startswith(masked(shown.rstrip()[:-3])) if cut else masked(got) == masked(shown)
                count += 1
                bad += not same
                if not update:
                    print("%s %d - %s" % ("ok" if same else "not ok", count, command))
                    if not same:
                        print("\n".join("#   " + x for x in got.split("\n")[:40]))
                body += "$ " + command + "\n" + (shown if same else "\n".join(x.rstrip() for x in got.rstrip().split("\n")) + "\n" if got else "")
            out.append(text[last:m.start("body")] + body)
            last = m.end("body")
    out.append(text[last:])
    if update:
        open(path, "w", encoding="utf-8").write("".join(out))
        return 0
    return bad > 0 or count == 0


sys.exit(main())
