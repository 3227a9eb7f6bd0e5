from django.urls import path

from billing import views

app_name = "billing"
urlpatterns = [
    path("buy/", views.buy, name="buy"),
    path("orders/<int:order_id>/cancel/", views.cancel, name="cancel_order"),
]
