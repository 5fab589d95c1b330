#!/bin/bash
# The README shows what the programs print.
cd "$(dirname "$0")/../.." || exit 1
exec python3 tests/integration/readme.py
