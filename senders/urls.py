from django.urls import path

from senders import views

app_name = "senders"
urlpatterns = [
    path("", views.number_list, name="numbers"),
    path("ask/", views.number_request, name="ask"),
]
