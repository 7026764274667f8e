#!/usr/bin/env bash
# The main job: builds Headwater and runs flights.sql over one month of real flights.
#
#   examples/flights/run.sh            builds (release), runs, shows the results
#   examples/flights/run.sh --check    also compares the results with expected/, as the test suite does
#
# HEADWATER names a binary to use instead of building one; OUT, where results go (default: a new folder).
set -euo pipefail
here="$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)"
root="$(cd "$here/../.." && pwd)"
if [ -z "${HEADWATER:-}" ]; then
  echo "building headwater (a few minutes the first time) ..." >&2
  (cd "$root" && cargo build --release --package headwater)
  target="$(cd "$root" && cargo metadata --no-deps --format-version 1 | sed 's/.*"target_directory":"\([^"]*\)".*/\1/')"
  HEADWATER="$target/release/headwater"
fi
out="${OUT:-$(mktemp -d "${TMPDIR:-/tmp}/headwater-flights.XXXXXX")}"
script="$out/flights.sql"
mkdir -p "$out"
sed -e "s#\${DATA}#$here/data#g" -e "s#\${OUT}#$out#g" "$here/flights.sql" > "$script"
echo "running $script" >&2
rm -rf "$out/hourly" "$out/weather"
"$HEADWATER" sql -f "$script" > "$out/worst.txt"

echo
echo "The three airlines with the longest delays, per day (+I[day, place, carrier, flights, average delay]):"
grep -h '^+I' "$out/worst.txt" | sort | head -9
echo "..."
echo
echo "Departures per airport and hour, with the weather (of $(cat "$out"/weather/* | wc -l) rows):"
cat "$out"/weather/* | sort | sed -n '1000,1004p'
echo
echo "All results: $out"

if [ "${1:-}" = "--check" ]; then
  for name in hourly weather; do
    cat "$out/$name"/* | sort | cmp - "$here/expected/$name.txt"
  done
  grep -h '^+I' "$out/worst.txt" | sort | cmp - "$here/expected/worst.txt"
  echo "results are as expected"
fi
