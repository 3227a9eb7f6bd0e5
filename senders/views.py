from django.http import HttpResponse
from django.shortcuts import render

from accounts.rules.permissions import Permission
from common.views import MemberRequest, member_view
from senders.queries import numbers


@member_view(Permission.NUMBERS_VIEW)
def number_list(request: MemberRequest) -> HttpResponse:
    return render(request, "senders/numbers.html", {"numbers": numbers()})
