from django.http import HttpResponse
from django.shortcuts import render

from accounts.rules.permissions import Permission
from billing.queries import current_account
from campaigns.queries import campaign_rows
from common.views import MemberRequest, member_view


@member_view(Permission.CAMPAIGNS_VIEW)
def campaign_list(request: MemberRequest) -> HttpResponse:
    """Campaigns, newest first, with progress and credits."""
    context = {"account": current_account(), "rows": campaign_rows()}
    return render(request, "campaigns/list.html", context)
