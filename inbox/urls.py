from django.urls import path

from inbox import views

app_name = "inbox"
urlpatterns = [
    path("", views.conversation_list, name="list"),
    path("<int:conversation_id>/", views.conversation, name="conversation"),
    path("<int:conversation_id>/decide/", views.decide, name="decide"),
    path("<int:conversation_id>/reply/", views.reply_in, name="reply"),
]
