from django.urls import path

from consent import views

app_name = "consent"
urlpatterns = [
    path("", views.program_list, name="programs"),
    path("new/", views.program_new, name="program_new"),
    path("check/", views.program_check, name="program_check"),
    path("<int:program_id>/", views.program_detail, name="program"),
    path("<int:program_id>/edit/", views.program_edit, name="program_edit"),
    path("<int:program_id>/<slug:what>.<slug:ending>", views.program_code, name="program_code"),
]
