from django.urls import path

from campaigns.views import compose, outreaches, running, trying

app_name = "campaigns"
urlpatterns = [
    path("", running.campaign_list, name="list"),
    path("new/", compose.campaign_new, name="new"),
    path("draft/", compose.campaign_autosave, name="autosave"),
    path("pictures/<int:picture_id>/", compose.campaign_picture, name="picture"),
    path("<int:campaign_id>/", running.campaign_detail, name="detail"),
    path("<int:campaign_id>/edit/", compose.campaign_edit, name="edit"),
    path("<int:campaign_id>/review/", compose.campaign_review, name="review"),
    path("<int:campaign_id>/test/", trying.campaign_test, name="test"),
    path("<int:campaign_id>/left-out/", compose.campaign_left_out, name="left_out"),
    path("<int:campaign_id>/recipients/", running.campaign_recipients, name="recipients"),
    path("<int:campaign_id>/outreaches/", outreaches.outreach_list, name="outreaches"),
    path("<int:campaign_id>/outreaches/<int:outreach_id>/", outreaches.outreach_review, name="outreach"),
    path("<int:campaign_id>/outreaches/<int:outreach_id>/remove/", outreaches.outreach_remove, name="outreach_remove"),
    path("<int:campaign_id>/upload/", outreaches.upload, name="upload"),
    path("<int:campaign_id>/upload/template.csv", outreaches.upload_template, name="upload_template"),
    path("<int:campaign_id>/upload/<int:file_id>/", outreaches.upload_columns, name="upload_columns"),
    path("<int:campaign_id>/links/<int:place>/", running.campaign_clicks, name="clicks"),
    path("<int:campaign_id>/<slug:verb>/", running.campaign_control, name="control"),
]
