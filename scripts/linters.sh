#!/usr/bin/env bash
# Runs the public linters of MCP servers on this server with its embedded backend. CONTRIBUTING.md answers the remaining remarks.
# Needs uv. Exit code 75: the linters could not be installed. scripts/real_clients.py runs the linter of the Inspector.
set -uo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TRIPS_MCP_DATABASE="$folder/trips.db" TRIPS_MCP_JOURNAL=off
server="$PWD/.venv/bin/trips-mcp"
failed=0

for linter in mcpscore@1.29.0 mcp-toolgauge@0.1.0 mcp-contrast@0.1.0 mcp-strict-check@0.1.0; do
    if ! timeout 240 uvx --quiet --from "$linter" python -c '' 2>/dev/null; then
        echo "$linter could not be installed from PyPI, so the linters were not run."
        exit 75
    fi
done

step() {
    printf '\n== %s\n' "$*"
    local said
    if said=$(timeout 240 "$@" 2>&1); then tail -n 12 <<<"$said"; else printf '%s\nfailed\n' "$said"; failed=1; fi
}

step uvx mcpscore@1.29.0 --smoke --fail-under 85 --stdio "$server"
step uvx mcp-toolgauge@0.1.0 lint "$folder" -c "$server" --fail-on error
step uvx mcp-contrast@0.1.0 check --stdio "$server" --embedder lexical
# It exits 1 for what only `strict: true` refuses, which nobody sets on our tools; so its report is shown, not obeyed.
printf '\n== mcp-strict-check --axis all\n'
timeout 240 uvx mcp-strict-check@0.1.0 --cmd "$server" --axis all || true
exit "$failed"
