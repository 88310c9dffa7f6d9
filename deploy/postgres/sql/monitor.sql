-- The role of the exporter, which sees statistics and no row; databases of the cluster's own are open to nobody else.
\set password `cat "$PASSWORD_FILE"`

SELECT 'CREATE ROLE monitor LOGIN' WHERE NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'monitor') \gexec
ALTER ROLE monitor PASSWORD :'password' CONNECTION LIMIT 5;
ALTER ROLE monitor SET statement_timeout = '10s';
GRANT pg_monitor TO monitor;
REVOKE ALL ON DATABASE postgres, template1 FROM PUBLIC;
GRANT CONNECT ON DATABASE postgres TO monitor;
