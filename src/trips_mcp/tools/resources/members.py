"""The tool that lists the members of a trip."""

from trips_mcp.contract.members import LIST_MEMBERS, Member
from trips_mcp.tools.tool import tool
from trips_mcp.tools.views import Listed

MEMBERS = Listed(item=Member, id="user_id", brief=("name", "role"))

list_members = tool(
    LIST_MEMBERS,
    title="List members",
    description="See who is on a trip, with roles, contacts and the user ids that owner takes.",
    lookup="list_trips",
    view=MEMBERS,
)
