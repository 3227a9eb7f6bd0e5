"""A contact: who it is, what they agreed to, and everything that happened."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

from django.contrib import messages
from django.db import transaction
from django.http import HttpResponse, JsonResponse
from django.shortcuts import get_object_or_404, redirect, render
from django.urls import reverse

from accounts.actions import audit
from accounts.queries import current_organization
from accounts.rules.permissions import Permission
from common.clock import now
from common.errors import DomainError
from common.phones import for_people
from common.views import MemberRequest, actor_of, confirmation, member_view, number_in, refusals_on
from consent.queries import ConsentPanel, consent_panel, opted_out_among, programs
from consent.rules.places import place_of, rules_words, source_words
from consent.rules.projection import CONVERSATIONAL
from contacts.models import Contact, ContactPhone, Existing, Import
from contacts.queries import alike, custom_fields, lists_of, phones_of
from dashboard.actions import ConsentNote, adjust_consent, merge_people, opt_out_contact, request_undo
from dashboard.forms import ConsentForm
from dashboard.queries import KINDS, everything_about, journey
from inbox.queries import conversation_with
from messaging.rules.kinds import CONVERSATION_DAYS
from senders.queries import registered_numbers


@member_view(Permission.CONTACTS_VIEW)
def contact(request: MemberRequest, contact_id: int) -> HttpResponse:
    """The page of one person; the journey can be filtered."""
    found = get_object_or_404(Contact.objects.all(), id=contact_id)
    phones = phones_of(found)
    chosen = request.GET.get("show", "all")
    may_talk = request.member.may(Permission.CONVERSATIONS_VIEW)
    context = {
        "contact": found,
        "phones": phones,
        "stopped": opted_out_among([row.phone for row in phones]),
        "lists": lists_of(found),
        "own": [(field.name, found.custom[field.key]) for field in custom_fields() if field.key in found.custom],
        "panels": [_panel(found, row) for row in phones],
        "steps": journey([row.phone for row in phones], kind=chosen),
        "kinds": KINDS,
        "chosen": chosen,
        "conversation": conversation_with([row.phone for row in phones]) if may_talk else None,
        "may_edit": request.member.may(Permission.CONTACTS_EDIT),
    }
    return render(request, "dashboard/contact.html", context)


@dataclass(frozen=True, slots=True)
class PhonePanel:
    """What one phone of a contact may get; `conversational_until` None: their conversation is over, or never began."""

    phone: ContactPhone
    consent: ConsentPanel
    hours: str
    conversational_until: datetime | None


def _panel(found: Contact, row: ContactPhone) -> PhonePanel:
    consent = consent_panel(row.phone)
    since = consent.conversational_since
    ends = since + timedelta(days=CONVERSATION_DAYS) if since else None
    return PhonePanel(row, consent, _hours_words(found, row.phone), ends if ends and ends > now() else None)


def _hours_words(found: Contact, phone: str) -> str:
    """When promotional texts may reach this person, and why."""
    country = found.country or current_organization().default_country
    place = place_of(zone=found.time_zone, region=found.region, postcode=found.postcode, country=country, phone=phone)
    zones = f"{', '.join(place.zones[:3])}, " if place.zones else ""
    return f"{rules_words(place.key)}; {zones}{source_words(place, phone=phone)}"


@member_view(Permission.CONTACTS_EDIT)
def merge(request: MemberRequest, contact_id: int) -> HttpResponse:
    """Two contacts that are one person: who may be meant, and the merging."""
    kept = get_object_or_404(Contact.objects.all(), id=contact_id)
    if request.method == "POST":
        other = get_object_or_404(Contact.objects.all(), id=number_in(request.POST.get("other", "")) or 0)
        try:
            with transaction.atomic():
                merge_people(kept.id, other.id, actor=actor_of(request), now=now())
            messages.success(request, f"{other} and {kept} are one contact now.")
            return redirect("dashboard:contact", kept.id)
        except DomainError as error:
            messages.error(request, str(error))
            return redirect("dashboard:merge", kept.id)
    search = request.GET.get("q", "").strip()
    context = {"contact": kept, "search": search, "rows": alike(kept, search=search)}
    return render(request, "dashboard/merge.html", context)


@member_view(Permission.CONTACTS_EDIT)
def everything(request: MemberRequest, contact_id: int) -> HttpResponse:
    """All that is known of one person, as a file for whoever asks for it (GDPR, CCPA)."""
    found = get_object_or_404(Contact.objects.all(), id=contact_id)
    audit(action="contact.exported", subject=found, actor=actor_of(request), now=now())
    response = JsonResponse(everything_about(found), json_dumps_params={"indent": 2, "ensure_ascii": False})
    response["Content-Disposition"] = f'attachment; filename="contact-{found.id}.json"'
    return response


@member_view(Permission.CONTACTS_EDIT)
def opt_out(request: MemberRequest, contact_id: int) -> HttpResponse:
    """Note that the person does not want to be texted any more."""
    found = get_object_or_404(Contact.objects.all(), id=contact_id)
    back = reverse("dashboard:contact", args=[found.id])
    if request.method == "POST":
        opt_out_contact(found, actor=actor_of(request), now=now())
        messages.success(request, f"{found} is not texted any more.")
        return redirect(back)
    count = "1 phone" if len(phones_of(found)) == 1 else f"{len(phones_of(found))} phones"
    return confirmation(
        request,
        title=f"Never text {found} again?",
        words=f"{count} will get nothing from any of your numbers. Only the person can undo this, by texting START.",
        submit="Record the opt-out",
        back=back,
        danger=True,
    )


@member_view(Permission.CONTACTS_EDIT)
def consent(request: MemberRequest, contact_id: int) -> HttpResponse:
    """Note what the person agreed to or takes back, with the reason and what proves it."""
    found = get_object_or_404(Contact.objects.all(), id=contact_id)
    back = redirect("dashboard:contact", found.id)
    phones = [(row.phone, f"{for_people(row.phone)} ({row.get_label_display()})") for row in phones_of(found)]
    kinds = [(program.id, f"{program} ({program.get_level_display().lower()})") for program in programs()]
    form = ConsentForm(
        request.POST or None,
        request.FILES or None,
        phones=phones,
        programs=[*kinds, (CONVERSATIONAL, "the conversation (only to take it back)")],
        numbers=[(number.id, str(number)) for number in registered_numbers() if not number.is_name],
        zone=ZoneInfo(request.member.time_zone),
        initial={"at": now().astimezone(ZoneInfo(request.member.time_zone)).date(), "what": "agreed"},
    )
    if not phones:
        messages.error(request, f"{found} has no phone, so there is nothing to agree to. Add one first.")
        return back
    if request.method == "POST" and form.is_valid():
        said = form.cleaned_data
        note = ConsentNote(
            what=said["what"],
            program_id=said["program"],
            medium=said["medium"],
            at=form.moment(),
            reason=said["reason"],
            evidence=said["evidence"],
            number_id=said["number"],
        )
        with refusals_on(form):
            adjust_consent(said["phone"], note=note, actor=actor_of(request), now=now())
            messages.success(
                request,
                "We will text them and ask them to confirm it, at a lawful hour."
                if said["what"] == "ask"
                else "Noted.",
            )
        if form.is_valid():
            return back
    return render(request, "form.html", {"form": form, "title": f"Consent of {found}", "submit": "Save"})


@member_view(Permission.CONTACTS_EDIT)
def import_undo(request: MemberRequest, import_id: int) -> HttpResponse:
    """Take back what an import brought."""
    found = get_object_or_404(Import.objects.select_related("file", "job"), id=import_id)
    back = reverse("contacts:import", args=[found.id])
    if request.method == "POST":
        try:
            request_undo(found.id, actor=actor_of(request), now=now())
        except DomainError as error:
            messages.error(request, str(error))
        return redirect(back)
    words = (
        f"The {found.created:,} people whom it brought are removed, but for those who were texted since. "
        "What the file said of their consent is withdrawn for everybody on it. What it changed in the "
        f"{found.updated:,} people who were contacts before stays."
    )
    if found.kind == Import.Kind.CONSENTS:
        words = f"The {found.created:,} agreements that it brought are withdrawn. Who agreed in another way stays so."
    elif found.existing == Existing.APART:
        words = (
            f"The {found.unchanged:,} recipients of it are removed, and what the file said of their consent is "
            "withdrawn. What was sent to them stays sent."
        )
    return confirmation(
        request,
        title=f"Undo the import of {found.file.name}?",
        words=words,
        submit="Undo the import",
        back=back,
        danger=True,
    )
