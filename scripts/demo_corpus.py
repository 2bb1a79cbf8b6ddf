#!/usr/bin/env python3
"""Debian's package descriptions as a corpus: one JSON object a line {id, package, section, title, text}.

    demo_corpus.py OUT.jsonl [--count N] [--lists FOLDER]

Synopsis and long text come from apt's own Packages and Translation-en lists. Most machines have them in
/var/lib/apt/lists; where they lack the long texts (container images do), they are fetched by `apt-get update` into a
folder of our own, which needs no root. Programs that a person might ask for are kept, one per distinct text; which
ones are taken, and their ids, depend on the lists alone.
"""

import argparse
import hashlib
import json
import pathlib
import re
import shutil
import subprocess
import sys

SYSTEM_LISTS = pathlib.Path("/var/lib/apt/lists")
SECTIONS = {"admin", "comm", "database", "devel", "editors", "education", "electronics", "games", "gnome", "graphics",
            "kde", "mail", "math", "misc", "net", "news", "otherosfs", "science", "shells", "sound", "text", "utils",
            "vcs", "video", "web", "x11"}
# People ask for these far more than the corpus could hold of each: others are taken as far as there is room.
FIRST = {"editors", "graphics", "mail", "net", "shells", "sound", "text", "utils", "vcs", "video", "web"}
NOT_PROGRAMS = re.compile(
    r"^(lib(?!reoffice|rewolf|recad)|python3?-|ruby-|golang-|node-|r-(cran|bioc)-|php-|fonts?-|task-|linux-|xserver-|"
    r"gir1|pd-|elpa-|education-|med-|science-|kde-config|gstreamer|vdr-plugin|asterisk-|collectd|texlive-|tesseract-ocr-|"
    r"(aspell|hunspell|myspell|hyphen|mythes|ispell|wordlist|dict|manpages)-)"
    r"|-(dev|dbg|dbgsym|docs?|data|common|l10n|locales?|examples|tests?|plugins?|modules?|utils-dbg|bin-dbg|dkms|full|"
    r"lang|source|runtime|core|base|icons?|themes?|cross|gnu|gnueabi|gnueabihf|mingw-w64|perl)([0-9.-].*)?$"
    r"|-(arm|armhf|arm64|i386|amd64|alpha|hppa|mips\w*|powerpc\w*|riscv64|s390x|sh4|sparc64|x32|m68k)-")
NOT_TEXTS = re.compile(r"transitional|dummy package|metapackage|meta-package|meta package|debug symbols", re.IGNORECASE)
SHORTEST, LONGEST = 200, 4000  # characters of the long text


def stanzas(path):
    """The fields of each stanza of a deb822 file; continuation lines keep their newline."""
    fields, name = {}, None
    with open(path, encoding="utf-8", errors="replace") as lines:
        for line in lines:
            line = line.rstrip("\n")
            if not line:
                if fields:
                    yield fields
                fields, name = {}, None
            elif line[0] in " \t":
                if name:
                    fields[name] += "\n" + line[1:]
            else:
                name, _, value = line.partition(":")
                fields[name] = value.strip()
    if fields:
        yield fields


def prose(description):
    """Long text as paragraphs: filled lines joined, list items and verbatim lines each on their own."""
    paragraphs, current = [], []
    for line in description.split("\n")[1:]:
        if line.strip() == ".":
            current.append("\n")
        elif line.startswith(" ") or re.match(r"[-*+•] ", line):
            current.append("\n" + line.strip())
        else:
            current.append(("" if not current or current[-1].endswith("\n") else " ") + line.strip())
    for paragraph in "".join(current).split("\n"):
        if paragraph.strip():
            paragraphs.append(paragraph.strip())
    return "\n".join(paragraphs)


def is_program(fields):
    if fields.get("Section", "").split("/")[-1] not in SECTIONS or NOT_PROGRAMS.search(fields["Package"]):
        return False
    tags = fields.get("Tag", "")
    return "role::program" in tags or "role::" not in tags


def packages(lists):
    texts = {}
    for path in sorted(lists.glob("*_i18n_Translation-en")):
        for fields in stanzas(path):
            if "Description-en" in fields:
                texts[fields.get("Description-md5")] = fields["Description-en"]
    seen_names, seen_texts, found = set(), set(), []
    for path in sorted(lists.glob("*_Packages")):
        for fields in stanzas(path):
            description = texts.get(fields.get("Description-md5"))
            if description is None or fields["Package"] in seen_names or not is_program(fields):
                continue
            title, text = description.split("\n")[0], prose(description)
            if not SHORTEST <= len(text) <= LONGEST or NOT_TEXTS.search(title) or NOT_TEXTS.search(text[:200]):
                continue
            if text[:160] in seen_texts:  # variants of one program share their first sentences
                continue
            seen_names.add(fields["Package"])
            seen_texts.add(text[:160])
            found.append({"package": fields["Package"], "section": fields["Section"].split("/")[-1], "title": title,
                          "tagged": "Tag" in fields, "text": f"{fields['Package']}: {title}\n{text}"})
    return found


def choose(found, count):
    """The sections of FIRST before the others, tagged packages before untagged; within that evenly by a hash of the name."""
    def rank(entry):
        name = hashlib.sha256(entry["package"].encode()).hexdigest()
        return (entry["section"] not in FIRST, not entry["tagged"], name)

    chosen = sorted(sorted(found, key=rank)[:count], key=lambda entry: entry["package"])
    return [{"id": number, **{key: entry[key] for key in ("package", "section", "title", "text")}}
            for number, entry in enumerate(chosen, start=1)]


def has_texts(lists):
    return any(lists.glob("*_Translation-en")) and any(lists.glob("*_Packages"))


def fetch(folder):
    """apt-get update into `folder`, with the system's own sources; neither root nor the system's lists are touched."""
    if not shutil.which("apt-get"):
        sys.exit("demo corpus: no apt-get here; the demo's corpus is Debian's package descriptions.\n"
                 "Copy /var/lib/apt/lists of a Debian machine and name it with --lists.")
    (folder / "lists" / "partial").mkdir(parents=True, exist_ok=True)
    (folder / "cache" / "archives" / "partial").mkdir(parents=True, exist_ok=True)
    config = folder / "apt.conf"
    config.write_text(f'''Dir::State::Lists "{folder / "lists"}";
Dir::Cache "{folder / "cache"}";
Acquire::Languages "en";
Acquire::GzipIndexes "false";
Acquire::IndexTargets::deb::DEP-11::DefaultEnabled "false";
Acquire::Retries "2";
APT::Sandbox::User "";
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
''')
    done = subprocess.run(["apt-get", "-q", "-c", str(config), "update"], capture_output=True, text=True)
    if not has_texts(folder / "lists"):
        sys.exit(f"demo corpus: `apt-get -c {config} update` brought no package descriptions:\n"
                 f"{(done.stdout + done.stderr).strip()[-1500:]}\nCheck the network and the sources in /etc/apt.")
    return folder / "lists"


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("out", type=pathlib.Path)
    parser.add_argument("--count", type=int, default=4000)
    parser.add_argument("--lists", type=pathlib.Path, help="a folder of apt lists to read instead")
    args = parser.parse_args()

    lists = args.lists or SYSTEM_LISTS
    if not has_texts(lists):
        if args.lists:
            sys.exit(f"demo corpus: {lists} holds no *_Packages with *_Translation-en (uncompressed)")
        lists = fetch(args.out.parent.resolve() / "apt")
    chosen = choose(packages(lists), args.count)
    if len(chosen) < 100:
        sys.exit(f"demo corpus: only {len(chosen)} descriptions in {lists}; is this a Debian system?")
    partial = args.out.with_suffix(".partial")
    with open(partial, "w", encoding="utf-8") as lines:
        for entry in chosen:
            lines.write(json.dumps(entry, ensure_ascii=False) + "\n")
    partial.rename(args.out)
    if not args.lists:
        shutil.rmtree(args.out.parent / "apt", ignore_errors=True)
    characters = sum(len(entry["text"]) for entry in chosen)
    print(f"{len(chosen)} package descriptions, {characters // len(chosen)} characters on average: {args.out}")


if __name__ == "__main__":
    main()
