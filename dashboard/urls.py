from django.urls import path

from dashboard import views

app_name = "dashboard"
urlpatterns = [
    path("", views.home, name="home"),
    path("theme", views.theme, name="theme"),
    path("health", views.health, name="health"),
]
