"""The tool about the account behind the key."""

from trips_mcp.contract.me import GET_ME
from trips_mcp.tools.tool import tool

get_me = tool(
    GET_ME,
    title="Who am I",
    description="Find the user's groups (groupId for create_trip), what the key may do, and where trips are kept.",
)
