from django.urls import path

from dashboard.views import contact, frame, groups, home, ledger, machines, organization, staff, templates

app_name = "dashboard"
urlpatterns = [
    path("", home.home, name="home"),
    path("theme", frame.theme, name="theme"),
    path("switch/organization", frame.switch_organization, name="switch_organization"),
    path("switch/department", frame.switch_department, name="switch_department"),
    path("notices/<int:notice_id>/dismiss", frame.dismiss, name="dismiss"),
    path("health", machines.health, name="health"),
    path("metrics", machines.metrics, name="metrics"),
    path("contacts/<int:contact_id>/", contact.contact, name="contact"),
    path("contacts/<int:contact_id>/merge/", contact.merge, name="merge"),
    path("contacts/<int:contact_id>/everything.json", contact.everything, name="everything"),
    path("contacts/<int:contact_id>/opt-out/", contact.opt_out, name="opt_out"),
    path("contacts/import/<int:import_id>/undo/", contact.import_undo, name="import_undo"),
    path("contacts/groups/", groups.group_list, name="groups"),
    path("contacts/groups/new/", groups.group_new, name="group_new"),
    path("contacts/groups/<int:group_id>/", groups.group_detail, name="group"),
    path("contacts/groups/<int:group_id>/count/", groups.group_count, name="group_count"),
    path("contacts/groups/<int:group_id>/edit/", groups.group_edit, name="group_edit"),
    path("contacts/groups/<int:group_id>/delete/", groups.group_delete, name="group_delete"),
    path("billing/", ledger.ledger, name="ledger"),
    path("templates/", templates.template_list, name="templates"),
    path("templates/new/", templates.template_new, name="template_new"),
    path("templates/<int:template_id>/", templates.template_edit, name="template"),
    path("templates/<int:template_id>/delete/", templates.template_delete, name="template_delete"),
    path("settings/", organization.settings_page, name="settings"),
    path("settings/days-off/", organization.days_off_page, name="days_off"),
    path("settings/days-off/<int:day_id>/remove/", organization.day_off_remove, name="day_off_remove"),
    path("staff/", staff.queue, name="staff"),
    path("staff/registrations/<int:registration_id>/", staff.registration, name="staff_registration"),
    path("staff/registrations/<int:registration_id>/evidence", staff.evidence, name="staff_evidence"),
    path("staff/numbers/<int:request_id>/", staff.number_request, name="staff_number"),
    path("staff/orders/<int:order_id>/", staff.order_paid, name="staff_order"),
    path("styleguide/", staff.styleguide, name="styleguide"),
]
