-- One service's login role and schema in one database; run by psql once per service, any number of times.
-- Variables: service (role and schema name), password, database.

SELECT format('CREATE ROLE %I LOGIN', :'service')
 WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = :'service') \gexec
ALTER ROLE :"service" WITH LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION NOBYPASSRLS PASSWORD :'password';

-- PUBLIC may otherwise connect, make temporary tables and use the schema `public`.
REVOKE ALL ON DATABASE :"database" FROM PUBLIC;
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT CONNECT ON DATABASE :"database" TO :"service";

CREATE SCHEMA IF NOT EXISTS :"service";
ALTER SCHEMA :"service" OWNER TO :"service";
ALTER ROLE :"service" IN DATABASE :"database" SET search_path = :"service";
