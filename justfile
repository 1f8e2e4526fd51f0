# PeakDesk's commands; `just` lists them. Each is one call that also works without just.

[private]
default:
    @{{ just_executable() }} --list --unsorted

# Start everything and wait until it is ready
up *options:
    ./peakdesk up {{ options }}

# Stop everything; data stays
down *options:
    ./peakdesk down {{ options }}

# Start everything and rehearse real dialogue
demo *options:
    ./peakdesk demo {{ options }}

# Play dialogues against the running platform
rehearse *options:
    ./peakdesk rehearse {{ options }}

# Every check and every test; with arguments, pytest alone
test *options:
    ./peakdesk test {{ options }}

# Lint, format, types and layers
check:
    ./peakdesk check

# Unit tests only
unit:
    ./peakdesk test tests -m unit

# Put imports in order and format all code
format:
    .venv/bin/ruff check --select I --fix --quiet
    .venv/bin/ruff format

# Measure against floors on the real broker, or against another checkout: just bench chat --against ../old
bench name *options:
    ./peakdesk test tests/load/test_{{ name }}.py -m load -n 0 -s {{ replace(options, "--against ", "--against=") }}

# The targets of the wording engine, row by row, on a folder of data: just wording-report ../data --check
wording-report *options:
    .venv/bin/python -m tools.wording_report {{ options }}

# Show that a promise holds while parts die, under attack, or figure by figure: just prove chat --rounds 30 --only drain
prove name *options:
    ./peakdesk test {{ if name == "attacks" { "tests/attacks -m heavy" } else { "tests/faults/" + name + " -m fault" } }} -n 0 -s {{ options }}

# Write what is made: schemas, pages, who reads a topic, the gateway's map of paths, simplified characters
made:
    .venv/bin/python -m contracts.schemas
    .venv/bin/python -m tools.readers
    .venv/bin/python -m tools.pages
    .venv/bin/python -m tools.heads
    .venv/bin/python -m tools.simplified

# Build the console's pages into console/dist; `just console dev` serves them as they are edited, `shots` pictures them
console word="build":
    {{ if word == "shots" { "./peakdesk test tests/browser/shots.py -n 0" } else { ".venv/bin/python -m tools.console " + word } }}

# Resolve a Kafka version anew and lock its jars
relock-kafka version:
    .venv/bin/python -m tools.relock {{ version }}
