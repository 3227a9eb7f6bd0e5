"""Every address of the pages."""

from django.urls import include, path

handler400 = "dashboard.views.frame.bad_request"

urlpatterns = [
    path("", include("dashboard.urls")),
    path("", include("messaging.urls")),
    path("campaigns/", include("campaigns.urls")),
    path("inbox/", include("inbox.urls")),
    path("contacts/", include("contacts.urls")),
    path("programs/", include("consent.urls")),
    path("numbers/", include("senders.urls")),
    path("numbers/", include("registration.urls")),
    path("billing/", include("billing.urls")),
    path("accounts/", include("allauth.urls")),
]
