#!/usr/bin/env bash
# The public linters of MCP servers, on this one with its embedded backend. What each still remarks is answered in
# docs/tools.md. Wants uv, and Node for the last.
set -uo pipefail
cd "$(dirname "$0")/.."

folder=$(mktemp -d)
trap 'rm -rf "$folder"' EXIT
export TRIPS_MCP_DATABASE="$folder/trips.db" TRIPS_MCP_JOURNAL=off
server="$PWD/.venv/bin/trips-mcp"
failed=0

step() {
    printf '\n== %s\n' "$*"
    local said
    if said=$("$@" 2>&1); then tail -n 12 <<<"$said"; else printf '%s\nfailed\n' "$said"; failed=1; fi
}

step uvx mcpscore@1.29.0 --smoke --fail-under 85 --stdio "$server"
step uvx mcp-toolgauge@0.1.0 lint "$folder" -c "$server" --fail-on error
step uvx mcp-contrast@0.1.0 check --stdio "$server" --embedder lexical
# It exits 1 for what only `strict: true` refuses, which nobody sets on our tools; so its report is shown, not obeyed.
printf '\n== mcp-strict-check --axis all\n'
uvx mcp-strict-check@0.1.0 --cmd "$server" --axis all || true
if command -v npx >/dev/null; then
    step npx --yes @modelcontextprotocol/inspector@2.12.0 --cli "$server" \
        -e "TRIPS_MCP_DATABASE=$TRIPS_MCP_DATABASE" --method tools/list --strict
fi
exit "$failed"
