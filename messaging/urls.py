from django.urls import path

from messaging import views

app_name = "messaging"

urlpatterns = [
    path("<str:code>", views.follow_link, name="follow"),
]
