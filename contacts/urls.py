from django.urls import path

from contacts import views

app_name = "contacts"
urlpatterns = [
    path("", views.contact_list, name="list"),
    path("import/", views.import_new, name="import_new"),
    path("import/<int:import_id>/", views.import_report, name="import"),
    path("import/<int:import_id>/errors.csv", views.import_errors, name="import_errors"),
]
