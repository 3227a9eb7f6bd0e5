-- The three roles of the database (docs/architecture.md, law 1). Run once by a superuser; passwords are set apart.
--   carillon_owner     migrates and owns every table; the product never runs as it
--   carillon_app       the product: tenant policies only, inherits nothing
--   carillon_platform  no sign-in; taken for one transaction by common.tenancy.across_organizations
CREATE ROLE carillon_owner LOGIN CREATEDB;
CREATE ROLE carillon_platform NOLOGIN;
CREATE ROLE carillon_app LOGIN NOINHERIT;
GRANT carillon_platform TO carillon_app;
