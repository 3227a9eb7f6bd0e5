from django.urls import path

from registration import views

app_name = "registration"
urlpatterns = [
    path("<int:number_id>/registration/", views.register, name="register"),
    path("<int:number_id>/registration/evidence", views.evidence, name="evidence"),
]
