# Sourced by the image's entry point when the database is made: one role and one schema per service.
set -eu
for service in catalog checkout redemption dispatch settlement; do
  password=$(printenv "GROUPBUY_DATABASE_PASSWORD_$(printf '%s' "$service" | tr '[:lower:]' '[:upper:]')")
  psql -X -q -v ON_ERROR_STOP=1 -U "$POSTGRES_USER" -d "$POSTGRES_DB" \
    -v service="$service" -v password="$password" -v database="$POSTGRES_DB" -f /etc/groupbuy/roles.sql
done
