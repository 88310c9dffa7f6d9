-- A database of a service's own, and two roles for it: `<service>_owner` migrates, `<service>` runs it and owns nothing.
-- For psql, which roles.sh runs as superuser; it may be run again, and then sets the passwords anew.
\set owner :service '_owner'
\set password `cat "$PASSWORD_FILE"`
\set owner_password `cat "$OWNER_PASSWORD_FILE"`

SELECT format('CREATE ROLE %I LOGIN', role) FROM unnest(ARRAY[:'service', :'owner']) AS role
WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = role) \gexec
ALTER ROLE :"service" PASSWORD :'password';
ALTER ROLE :"owner" PASSWORD :'owner_password';
-- What one leaks is not taken from the others. Two versions of a service at once, each with a pool of 10 and a relay, and
-- three commands; of migrations, two that take turns, and whoever looks why.
ALTER ROLE :"service" CONNECTION LIMIT 25;
ALTER ROLE :"owner" CONNECTION LIMIT 3;

-- A service sets the same limits itself; so begins whoever else has its password, and may lift them: against slips alone.
ALTER ROLE :"service" SET statement_timeout = '30s';
ALTER ROLE :"service" SET lock_timeout = '10s';
ALTER ROLE :"service" SET idle_in_transaction_session_timeout = '60s';
-- A migration may take as long as it takes, but must hold nobody up by waiting.
ALTER ROLE :"owner" SET lock_timeout = '10s';
ALTER ROLE :"owner" SET idle_in_transaction_session_timeout = '60s';

SELECT format('CREATE DATABASE %I OWNER %I', :'service', :'owner')
WHERE NOT EXISTS (SELECT FROM pg_database WHERE datname = :'service') \gexec
REVOKE ALL ON DATABASE :"service" FROM PUBLIC;
-- A rebuild tells a lane again into temporary tables.
GRANT CONNECT, TEMPORARY ON DATABASE :"service" TO :"service";

\connect :"service"
REVOKE ALL ON SCHEMA public FROM PUBLIC;
GRANT USAGE ON SCHEMA public TO :"service";
-- What a migration makes later is covered as well; tables that are only added to take back more in their migrations.
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public
GRANT SELECT, INSERT, UPDATE, DELETE ON TABLES TO :"service";
ALTER DEFAULT PRIVILEGES FOR ROLE :"owner" IN SCHEMA public GRANT USAGE ON SEQUENCES TO :"service";
