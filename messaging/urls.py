from django.urls import path

from messaging import views

app_name = "messaging"

urlpatterns = [
    path("l/<str:code>", views.follow_link, name="follow"),
    path("media/<str:token>", views.picture, name="picture"),
]
