from django.urls import path

from contacts.views import exports, fields, imports, people

app_name = "contacts"
urlpatterns = [
    path("", people.contact_list, name="list"),
    path("new/", people.contact_new, name="new"),
    path("<int:contact_id>/edit/", people.contact_edit, name="edit"),
    path("<int:contact_id>/delete/", people.contact_delete, name="delete"),
    path("phones/<int:phone_id>/clear/", people.phone_clear, name="phone_clear"),
    path("columns/", people.choose, name="columns"),
    path("add-to-list/", people.add_chosen, name="add_to_list"),
    path("export/", exports.export_new, name="export_new"),
    path("export/<int:export_id>/", exports.export_state, name="export"),
    path("export/<int:export_id>/file/", exports.export_file, name="export_file"),
    path("fields/", fields.fields, name="fields"),
    path("fields/<int:own_id>/", fields.field_edit, name="field"),
    path("lists/", people.lists, name="lists"),
    path("lists/<int:list_id>/", people.list_detail, name="list_detail"),
    path("lists/<int:list_id>/remove/", people.remove_chosen, name="remove_from_list"),
    path("import/", imports.import_new, name="import_new"),
    path("import/former/", imports.former_new, name="former_new"),
    path("import/former/<int:file_id>/<slug:kind>/", imports.former_columns, name="former_columns"),
    path("import/file/<int:file_id>/", imports.import_columns, name="import_columns"),
    path("import/<int:import_id>/", imports.import_report, name="import"),
    path("import/<int:import_id>/cancel/", imports.import_cancel, name="import_cancel"),
    path("import/<int:import_id>/errors.csv", imports.import_errors, name="import_errors"),
]
