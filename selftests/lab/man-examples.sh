#!/bin/bash
# SPDX-License-Identifier: GPL-2.0-or-later
# Prints the examples of a manual page (mdoc) as shell commands: man-examples.sh PAGE
#
# Each .Dl line, and each literal block, of its EXAMPLES is one; they are separated by NUL.
set -eu
sed -n '/^\.Sh EXAMPLES/,/^\.Sh [^E]/p' "$1" | awk '
	/^\.Bd -literal/ { block = 1; text = ""; next }
	/^\.Ed/ { block = 0; printf "%s%c", text, 0; next }
	block { text = text $0 "\n"; next }
	/^\.Dl / { printf "%s%c", substr($0, 5), 0 }' | sed 's/\\-/-/g; s/\\&//g; s/\\e/\\/g'
