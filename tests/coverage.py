"""What gcovr counted, as totals by folder and the error paths that no test takes: python3 tests/coverage.py FILE.json

An error path is a line that makes or passes on an Error: `return Error{...}`, `return x.error()`, and the like."""
import collections
import json
import pathlib
import re
import sys

ERROR_PATH = re.compile(r"return (Error\{|[\w.>()*-]+\.error\(\)|corrupt\(|torn\(|refused\(|failed\()|\bfail\(|give_up\(")


def share(part, whole):
    return f"{100 * part / whole:5.1f} %" if whole else "    -"


def main(path):
    folders = collections.defaultdict(lambda: [0, 0, 0, 0])
    uncovered = []
    for file in json.loads(pathlib.Path(path).read_text())["files"]:
        counts = folders[file["file"].split("/")[0]]
        source = pathlib.Path(file["file"]).read_text().splitlines()
        for line in file["lines"]:
            if line.get("gcovr/noncode"):
                continue
            number, taken = line["line_number"], line["count"] > 0
            counts[0] += taken
            counts[1] += 1
            counts[2] += sum(branch["count"] > 0 for branch in line["branches"])
            counts[3] += len(line["branches"])
            if not taken and ERROR_PATH.search(source[number - 1]):
                uncovered.append(f"{file['file']}:{number}: {source[number - 1].strip()}")
    print("error paths that no test takes:\n  " + "\n  ".join(uncovered or ["none"]))
    print(f"{len(uncovered)} of them\n\nfolder    lines     branches")
    for folder, counts in sorted(folders.items()):
        print(f"{folder:8}  {share(*counts[:2])}   {share(*counts[2:])}")
    total = [sum(counts[i] for counts in folders.values()) for i in range(4)]
    print(f"{'all':8}  {share(*total[:2])}   {share(*total[2:])}   of {total[1]} lines, {total[3]} branches")


main(sys.argv[1])
