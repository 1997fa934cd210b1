"""Manual pages of every command out of `kotonoha --experimental-dump-help` on standard input: man.py FOLDER DATE VERSION. kotonoha-embed.1 is that of `embed`."""
import json
import sys
from pathlib import Path

folder, date, version = Path(sys.argv[1]), sys.argv[2], sys.argv[3]


def escaped(text):
    """A line of roff: no backslash, hyphen or leading point means anything."""
    text = text.replace("\\", "\\e").replace("-", "\\-").replace("'", "\\(aq").replace("`", "\\(ga")
    return "\n".join("\\&" + line if line.startswith((".", "\\(aq")) else line for line in text.split("\n"))


def signature(argument):
    value = argument.get("valueName", "value")
    if argument["kind"] == "positional":
        return f"\\fI{escaped(value)}\\fR" + (" ..." if argument["isRepeating"] else "")
    names = []
    for name in argument["names"]:
        dash = "--" if name["kind"] == "long" else "-"
        names.append(f"\\fB{escaped(dash + name['name'])}\\fR")
    return ", ".join(names) + ("" if argument["kind"] == "flag" else f" \\fI{escaped(value)}\\fR")


def page(command, words):
    name = "-".join(words)
    shown = [a for a in command.get("arguments", []) if a["shouldDisplay"]]
    subcommands = [c for c in command.get("subcommands", []) if c.get("shouldDisplay", True) and c["commandName"] != "help"]
    lines = [f'.TH "{name.upper()}" "1" "{date}" "kotonoha {version}" "User Commands"', ".SH NAME", f"{escaped(name)} \\- {escaped(command.get('abstract', '')).rstrip('.')}",
             ".SH SYNOPSIS", f"\\fB{escaped(' '.join(words))}\\fR"]
    if subcommands:
        lines.append("\\fIcommand\\fR ...")
    else:
        required = [a for a in shown if a["kind"] == "positional"]
        lines.append(" ".join(f"[{signature(a)}]" if a["isOptional"] else signature(a) for a in required) + " [\\fIoptions\\fR]")
    if command.get("discussion"):
        lines += [".SH DESCRIPTION", ".nf", escaped(command["discussion"]), ".fi"]
    if subcommands:
        lines.append(".SH COMMANDS")
        for sub in subcommands:
            lines += [".TP", f"\\fB{escaped(name + '-' + sub['commandName'])}\\fR(1)", escaped(sub.get("abstract", ""))]
    sections = {}
    for argument in shown:
        sections.setdefault(argument.get("sectionTitle") or ("ARGUMENTS" if argument["kind"] == "positional" else "OPTIONS"), []).append(argument)
    for title, arguments in sections.items():
        lines.append(f'.SH "{escaped(title.upper())}"')
        for argument in arguments:
            words_of = argument.get("abstract", "")
            # The number of workers is that of the machine, whichever it is.
            if argument.get("defaultValue") and argument.get("valueName") != "threads":
                words_of += f" (default: {argument['defaultValue']})"
            lines += [".TP", signature(argument), escaped(words_of) or "\\&"]
    if len(words) == 1:
        lines += [".SH EXIT STATUS", "0 where all is well; 64 for the command line, 65 for data, 66 for a missing input, 69 for the network, 71 for memory, 73 for an output "
                  "that cannot be made, 74 for reading and writing, 130 where interrupted."]
    else:
        lines += [".SH SEE ALSO", f"\\fB{escaped('-'.join(words[:-1]))}\\fR(1)"]
    (folder / f"{name}.1").write_text("\n".join(lines) + "\n", encoding="utf-8")
    for sub in subcommands:
        page(sub, [*words, sub["commandName"]])


folder.mkdir(parents=True, exist_ok=True)
page(json.load(sys.stdin)["command"], ["kotonoha"])
