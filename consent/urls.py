from django.urls import path

from consent import views

app_name = "consent"
urlpatterns = [
    path("", views.program_list, name="programs"),
    path("new/", views.program_new, name="program_new"),
]
