#!/usr/bin/env python3
"""Cosmetic edits of documents: none may alert.

usage: quiet.py CLAUSEWATCH DOCUMENT...
For each document a dozen edits that change no words of substance; prints a TAP line an edit, with the
documents on which `clausewatch diff` said something.
"""
import os, random, re, subprocess, sys, tempfile, json


def words(text):
    return re.split(r"(\s+)", text)


def paragraphs(text):
    return re.split(r"(\n\s*\n)", text)


def reflow(text, md):
    """Not of long plain texts: where their pages end, a footer parts the sentences."""
    if not md and len(text) > 8000:
        return text
    out = []
    for p in paragraphs(text):
        if not p.strip() or re.match(r"\s*([*+\-|#>]|\d+[.)]|```|\()", p) or "\n" in p.strip() or md and "  \n" in p:
            out.append(p)
        else:
            line, lines = "", []
            for w in p.split():
                if len(line) + len(w) > 60:
                    lines.append(line)
                    line = ""
                line = (line + " " + w).strip()
            out.append("\n".join(lines + [line]))
    return "".join(out)


def relink(text, md):
    return re.sub(r"\]\(([^)\s]+)\)", r"](https://example.org/moved?utm=1)", text) if md else text


def quotes(text, md):
    return text.replace("“", '"').replace("”", '"').replace("’", "'")


def emphasis(text, md):
    """Inside of sentences: a bold line of its own is a heading."""
    return re.sub(r"(?<=[a-z,] )\*\*([^*\n]{1,200})\*\*(?=[ ,;])", r"\1", text) if md else text


def spaces(text, md):
    return re.sub(r"(?<=\S) (?=\S)", "\u00a0 ", text, count=200) if not md else re.sub(r"(?<=[a-z,]) (?=[a-z])", "  ", text)


def updated(text, md):
    return re.sub(r"(?i)((?:last )?(?:updated|modified|revised)[^\n]{0,12}?)(january|february|march|april|may|june|july|august|september|october|november|december) \d{1,2}, \d{4}",
                  r"\1October 9, 2031", text)


def crlf(text, md):
    return text.replace("\n", "\r\n")


def trailing(text, md):
    return text.rstrip("\n") + "\n\n\n"


def dashes(text, md):
    return text.replace(" – ", " - ").replace("—", "-").replace("…", "...")


def renumber(text, md):
    """Top numbers, where all stay as wide as they are: a wider one indents what belongs to it."""
    number = re.compile(r"(?m)^(\d{1,2})\.(?=\s)")
    if not md or any(int(m[1]) in (9, 99) for m in number.finditer(text)):
        return text
    return number.sub(lambda m: str(int(m[1]) + 1) + ".", text)


def reorder(text, md):
    """Two neighbouring plain paragraphs change places."""
    ps = paragraphs(text)
    plain = [i for i in range(0, len(ps) - 2, 2)
             if all(re.match(r"[A-Z\"“]", ps[k]) and ps[k].rstrip().endswith(".") and "\n" not in ps[k].strip() for k in (i, i + 2))]
    if plain:
        i = plain[len(plain) // 2]
        ps[i], ps[i + 2] = ps[i + 2], ps[i]
    return "".join(ps)


def comments(text, md):
    return "<!-- exported -->\n\n" + text if md else text


EDITS = [reflow, relink, quotes, emphasis, spaces, updated, crlf, trailing, dashes, renumber, reorder, comments]


def alerts(tool, old, new):
    r = subprocess.run([tool, "diff", "--format", "jsonl", "--config", CONFIG, old, new], stdout=subprocess.PIPE, stderr=subprocess.PIPE)
    if r.returncode not in (0, 1):
        return ["status %d: %s" % (r.returncode, r.stderr.decode("utf-8", "replace").strip())]
    said = []
    for line in r.stdout.decode("utf-8", "replace").splitlines():
        c = json.loads(line)
        if c.get("kind") == "change" and c["event"] in ("appeared", "removed", "changed"):
            said.append("%s %s: %s" % (c["event"], c["term"], c["summary"]))
    return said


def main():
    global CONFIG
    tool, docs = sys.argv[1], sys.argv[2:]
    bad = 0
    with tempfile.TemporaryDirectory() as d:
        CONFIG = os.path.join(d, "empty.yaml")
        open(CONFIG, "w").close()
        for n, edit in enumerate(EDITS, 1):
            loud, tried = [], 0
            for path in docs:
                md = path.endswith(".md")
                text = open(path, encoding="utf-8", errors="replace").read()
                new = edit(text, md)
                if new == text:
                    continue
                tried += 1
                a, b = (os.path.join(d, x + (".md" if md else ".txt")) for x in ("old", "new"))
                open(a, "w", encoding="utf-8", newline="").write(text)
                open(b, "w", encoding="utf-8", newline="").write(new)
                loud += ["%s: %s" % (os.path.basename(path), s) for s in alerts(tool, a, b)]
            bad += bool(loud)
            print("%s %d - %s, %d documents" % ("not ok" if loud else "ok", n, edit.__name__, tried))
            for s in loud[:8]:
                print("#   " + s)
    return bad > 0


sys.exit(main())
