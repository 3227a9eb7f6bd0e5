from django.contrib import messages
from django.http import HttpResponse
from django.shortcuts import redirect, render

from accounts.rules.permissions import Permission
from common.clock import now
from common.views import MemberRequest, actor_of, member_view, refusals_on
from consent.actions import create_program
from consent.forms import ProgramForm
from consent.queries import programs
from consent.rules.media import Level


@member_view(Permission.PROGRAMS_VIEW)
def program_list(request: MemberRequest) -> HttpResponse:
    return render(request, "consent/programs.html", {"programs": programs()})


@member_view(Permission.PROGRAMS_EDIT)
def program_new(request: MemberRequest) -> HttpResponse:
    form = ProgramForm(request.POST or None)
    if request.method == "POST" and form.is_valid():
        with refusals_on(form):
            program = create_program(
                name=form.cleaned_data["name"],
                level=Level(form.cleaned_data["level"]),
                brand=request.member.organization_name,
                opt_in_text=form.cleaned_data["opt_in_text"],
                actor=actor_of(request),
                now=now(),
            )
            messages.success(request, f"“{program.name}” is there. Import people who agreed to it next.")
        if form.is_valid():
            return redirect("consent:programs")
    return render(request, "form.html", {"form": form, "title": "New program", "submit": "Save program"})
