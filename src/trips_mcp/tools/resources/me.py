"""What an agent reads about the account behind the key."""

from trips_mcp.contract.me import GET_ME
from trips_mcp.tools.tool import tool

get_me = tool(
    GET_ME,
    title="Who am I",
    description="Call first when you need a groupId for create_trip: returns the user, their groups, the default "
    "group, what the key may do and where the trips are kept.",
)
