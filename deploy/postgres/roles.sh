#!/bin/sh
# Databases and roles, as the image of PostgreSQL runs it once on an empty data directory; passwords come from $SECRETS.
# For a server of your own: PGHOST=… PGUSER=… PGPASSWORD=… SECRETS=deploy/secrets deploy/postgres/roles.sh
set -eu
sql=$(dirname "$0")/sql
: "${SECRETS:=/run/secrets}"

run() {
    psql --no-psqlrc --quiet --set ON_ERROR_STOP=1 --username "${PGUSER:-postgres}" --dbname postgres "$@"
}

password_of() {
    # psql would take a file that cannot be read for an empty password, which opens to nobody.
    test -s "$SECRETS/$1_password" || { echo "roles.sh: $SECRETS/$1_password is missing or empty" >&2; return 1; }
    echo "$SECRETS/$1_password"
}

for service in flexjob_pool gateway impact; do
    PASSWORD_FILE=$(password_of "$service")
    OWNER_PASSWORD_FILE=$(password_of "${service}_owner")
    export PASSWORD_FILE OWNER_PASSWORD_FILE
    run --set service="$service" --file "$sql/roles.sql"
done
PASSWORD_FILE=$(password_of monitor)
run --file "$sql/monitor.sql"
