"""Every address of the pages."""

from django.urls import include, path

urlpatterns = [
    path("", include("dashboard.urls")),
    path("campaigns/", include("campaigns.urls")),
    path("accounts/", include("allauth.urls")),
]
