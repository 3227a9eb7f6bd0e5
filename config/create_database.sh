#!/bin/sh
# Run once by the PostgreSQL image after database_roles.sql: passwords from the environment, and the database.
set -eu
psql -v ON_ERROR_STOP=1 -U postgres -v app="$APP_PASSWORD" -v owner="$OWNER_PASSWORD" <<'SQL'
ALTER ROLE carillon_app PASSWORD :'app';
ALTER ROLE carillon_owner PASSWORD :'owner';
CREATE DATABASE carillon OWNER carillon_owner;
SQL
